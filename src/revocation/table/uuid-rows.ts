import { NO_CUTOFF } from './table-piece.js'
import { formatUuid } from './uuid.js'

/** Words of 32 bits that a row takes: the four of its id, then what the values need. */
const STRIDE_SECONDS = 5 // expiresAt in whole seconds; no cutoffs
const STRIDE_CUTOFF = 6 // and cutoff in whole seconds
const STRIDE_EXACT = 8 // both as doubles

/** In a column of whole seconds: no cutoff. */
const NONE = 0xffffffff

/** A row's round is kept in a byte: so many can be told apart. */
const MARKS = 255

/** The smallest stride that can hold these values exactly. */
export function strideFor(cutoff: number, expiresAt: number): number {
  if (!isWhole(expiresAt)) return STRIDE_EXACT
  if (cutoff === NO_CUTOFF) return STRIDE_SECONDS
  return isWhole(cutoff) ? STRIDE_CUTOFF : STRIDE_EXACT
}

/** Where rows are while their own memory is filled anew: too much of it would be garbage otherwise. */
let spare = new ArrayBuffer(0)

/**
 * Rows of revocations by UUID, in a number of slots: open addressing with linear probing, on typed arrays. In
 * front of the rows stands a byte of each one's hash, its tag, so that a look-up that finds nothing seldom goes
 * as far as the rows.
 */
export class UuidRows {
  #stride!: number
  #words!: Int32Array
  /** The same memory, where values are exact. */
  #doubles: Float64Array | undefined
  /** 0 for an empty slot. */
  #tags!: Uint8Array
  /** The round that a row was last seen in: 1 is #firstRound, 0 any before it. */
  #marks!: Uint8Array
  #firstRound = 0

  /** Rows that can take over some of others have the same stride, and tell rounds by the same marks. */
  constructor(slots: number, like?: UuidRows) {
    const stride = like === undefined ? STRIDE_SECONDS : like.#stride
    this.#use(new ArrayBuffer(slots * bytesOf(stride)), slots, stride)
    if (like !== undefined) this.#firstRound = like.#firstRound
  }

  get stride(): number {
    return this.#stride
  }

  /** How many slots there are. */
  get length(): number {
    return this.#tags.length
  }

  id(slot: number): string {
    return formatUuid(this.#words, slot * this.#stride)
  }

  readId(slot: number, id: Int32Array): void {
    const at = slot * this.#stride
    id[0] = this.#words[at] as number
    id[1] = this.#words[at + 1] as number
    id[2] = this.#words[at + 2] as number
    id[3] = this.#words[at + 3] as number
  }

  isTaken(slot: number): boolean {
    return this.#tags[slot] !== 0
  }

  /** The slot of an id, or -1. */
  find(id: Int32Array, hash: number): number {
    const tags = this.#tags
    const tag = tagOf(hash)
    let slot = slotOf(hash, tags.length)
    for (let present = tags[slot]; present !== 0; present = tags[slot]) {
      if (present === tag && this.#holds(slot, id)) return slot
      slot = slot + 1 === tags.length ? 0 : slot + 1
    }
    return -1
  }

  /** Puts an id that is not there into a free slot, of which there must be one, and tells which. */
  insert(id: Int32Array, hash: number): number {
    const tags = this.#tags
    let slot = slotOf(hash, tags.length)
    while (tags[slot] !== 0) slot = slot + 1 === tags.length ? 0 : slot + 1
    tags[slot] = tagOf(hash)
    this.#marks[slot] = 0
    const at = slot * this.#stride
    // One by one: the call of set costs more than all of this method.
    this.#words[at] = id[0] as number
    this.#words[at + 1] = id[1] as number
    this.#words[at + 2] = id[2] as number
    this.#words[at + 3] = id[3] as number
    return slot
  }

  /** The values must fit: see {@link strideFor}. */
  write(slot: number, cutoff: number, expiresAt: number): void {
    if (this.#doubles !== undefined) {
      this.#doubles[slot * 4 + 2] = expiresAt
      this.#doubles[slot * 4 + 3] = cutoff
      return
    }
    const at = slot * this.#stride
    this.#words[at + 4] = expiresAt
    if (this.#stride === STRIDE_CUTOFF) this.#words[at + 5] = cutoff === NO_CUTOFF ? NONE : cutoff
  }

  expiresAt(slot: number): number {
    if (this.#doubles !== undefined) return this.#doubles[slot * 4 + 2] as number
    return (this.#words[slot * this.#stride + 4] as number) >>> 0
  }

  /** {@link NO_CUTOFF} where there is none. */
  cutoff(slot: number): number {
    if (this.#doubles !== undefined) return this.#doubles[slot * 4 + 3] as number
    if (this.#stride === STRIDE_SECONDS) return NO_CUTOFF
    const cutoff = (this.#words[slot * this.#stride + 5] as number) >>> 0
    return cutoff === NONE ? NO_CUTOFF : cutoff
  }

  /** Takes note that a row was seen in a round. An earlier one than it was seen in last changes nothing. */
  see(slot: number, round: number): void {
    if (round - this.#firstRound >= MARKS) this.#forgetRoundsBefore(round - (MARKS >> 1))
    this.#marks[slot] = Math.max(this.#marks[slot] as number, round - this.#firstRound + 1)
  }

  /** Whether a row was seen neither in that round, which is to be one of the last 128, nor in a later one. */
  isUnseen(slot: number, round: number): boolean {
    return (this.#marks[slot] as number) < Math.max(1, round - this.#firstRound + 1)
  }

  /**
   * Empties these rows, into as many slots and such a stride as they are to have from now on.
   *
   * @returns what was in them, to be read before any rows are emptied again
   */
  empty(slots: number, stride: number): UuidRows {
    const { buffer } = this.#words
    if (spare.byteLength < buffer.byteLength) spare = new ArrayBuffer(buffer.byteLength)
    new Uint8Array(spare).set(new Uint8Array(buffer))
    const old = new UuidRows(0, this)
    old.#use(spare, this.length, this.#stride)
    if (slots === this.length && stride === this.#stride) this.#tags.fill(0)
    else this.#use(new ArrayBuffer(slots * bytesOf(stride)), slots, stride)
    return old
  }

  /** Takes over a row of others, of these rows' own past or {@link constructor like} them. */
  take(from: UuidRows, slot: number, id: Int32Array, hash: number): void {
    const to = this.insert(id, hash)
    this.write(to, from.cutoff(slot), from.expiresAt(slot))
    this.#marks[to] = from.#marks[slot] as number
  }

  /** All in one buffer: each takes some hundred bytes besides what it holds. */
  #use(buffer: ArrayBuffer, slots: number, stride: number): void {
    this.#stride = stride
    this.#words = new Int32Array(buffer, 0, slots * stride)
    this.#doubles = stride === STRIDE_EXACT ? new Float64Array(buffer, 0, slots * 4) : undefined
    this.#tags = new Uint8Array(buffer, slots * stride * 4, slots)
    this.#marks = new Uint8Array(buffer, slots * (stride * 4 + 1), slots)
  }

  #holds(slot: number, id: Int32Array): boolean {
    const words = this.#words
    const at = slot * this.#stride
    return (
      words[at] === id[0] && words[at + 1] === id[1] && words[at + 2] === id[2] && words[at + 3] === id[3]
    )
  }

  #forgetRoundsBefore(round: number): void {
    const marks = this.#marks
    const earlier = round - this.#firstRound
    for (let slot = 0; slot < marks.length; slot++)
      marks[slot] = Math.max(0, (marks[slot] as number) - earlier)
    this.#firstRound = round
  }
}

/** A row, its tag and its mark. */
function bytesOf(stride: number): number {
  return stride * 4 + 2
}

/** 1 to 255. */
function tagOf(hash: number): number {
  return hash & 0xff || 0xff
}

/** By all bits of the hash: the first ones, by which segments are told apart, are the same in all rows. */
function slotOf(hash: number, slots: number): number {
  return Math.imul(Math.imul(hash, 0x9e3779b1) >>> 16, slots) >>> 16
}

function isWhole(seconds: number): boolean {
  return seconds >>> 0 === seconds && seconds !== NONE
}
