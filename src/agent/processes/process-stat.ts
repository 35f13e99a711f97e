/** One line of /proc/PID/stat, see proc(5): times in clock ticks, memory in pages. */
export type ProcessStat = {
  pid: number
  /** `Z`: has ended and waits to be reaped by its parent. */
  state: string
  parent: number
  group: number
  session: number
  /** Since the host was started. */
  startTicks: number
  /** CPU time of its own, ended threads included. */
  ownTicks: number
  /** CPU time of its ended children and of theirs, for which it has waited. */
  reapedTicks: number
  residentPages: number
}

/** Field 2 is the name, which may itself hold blanks and brackets: the other fields are counted from its end. */
export function parseStat(text: string): ProcessStat | null {
  const nameEnd = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const [state, ...rest] = text.slice(nameEnd + 2).split(' ', LAST_FIELD - 2)
  if (nameEnd === -1 || state === undefined || !/^[A-Za-z]$/.test(state)) return null
  /** Numbered as in proc(5). */
  const field = (number: number): number => Number(rest[number - 4])
  const stat = {
    pid,
    state,
    parent: field(4),
    group: field(5),
    session: field(6),
    startTicks: field(22),
    ownTicks: field(14) + field(15),
    reapedTicks: field(16) + field(17),
    residentPages: field(LAST_FIELD),
  }
  const isWhole = Object.values(stat).every((value) => typeof value === 'string' || Number.isFinite(value))
  return isWhole && rest.length === LAST_FIELD - 3 ? stat : null
}

/** The resident set; nothing after it is read. */
const LAST_FIELD = 24
