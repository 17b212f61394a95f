const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const form = /^(\w{3}) (\w{3}) ([1-9]|[12]\d|3[01]) (\d\d):(\d\d):(\d\d) UTC (\d{4})$/

/**
 * The epoch milliseconds of a TIMESTAMP, or undefined if it is not in the one form that Cognito takes:
 * `Sun Nov 8 09:07:05 UTC 2026`, in English, the day of the month without a leading zero.
 */
export function readTimestamp(text: string): number | undefined {
  const [, weekday, month = '', day, hour, minute, second, year] = form.exec(text) ?? []
  const index = months.indexOf(month)
  if (weekday === undefined || index < 0) return undefined
  const fields = [day, hour, minute, second].map(Number)
  const time = new Date(Date.UTC(Number(year), index, ...fields))
  const read = [time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()]
  const same = read.every((field, at) => field === fields[at]) && days[time.getUTCDay()] === weekday
  return same ? time.getTime() : undefined
}
