// Imported first of all, so that nobody has got hold of the real one.
const RealDate = globalThis.Date
let offsetMs = Number(process.env.WALL_CLOCK_OFFSET_MS ?? 0)

/** Sets this process's wall clock so far from the real one, as an administrator would. Its monotonic clock goes on. */
export function setWallClock(msAhead: number): void {
  offsetMs = msAhead
}

const now = () => RealDate.now() + offsetMs

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, property, receiver) => (property === 'now' ? now : Reflect.get(target, property, receiver)),
})
