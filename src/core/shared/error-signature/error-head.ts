import { isErrorLevel, jsonHeadOf } from './json-head.ts'

/** The first line of an error. `opens`: more that belongs to it may follow. */
export type ErrorHead = {
  text: string
  frame: string | null
  opens: 'words' | 'exception' | 'traceback' | 'message-follows' | 'nothing'
}

/** A level stands near the front; a word in capitals further back is part of what is said. */
const LEVEL_WITHIN = 160
const LEVEL =
  /(?:^|[\s[\]|<>:(,=-])(TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|SEVERE|CRITICAL|CRIT|ALERT|EMERG(?:ENCY)?|PANIC)(?=$|[\s[\]|<>:),!-])/
const BRACKETED = /\[(error|err|crit|critical|alert|emerg|fatal|panic|severe)(?::\w+)?\]/i
const AT_FRONT =
  /^(?:[\w./-]{1,40}(?:\[\d{1,9}\])?: )?(?:fatal error|error|fatal|panic|critical|uncaught exception|unhandled exception|unhandled rejection)(?:\[\w{1,20}\])?: /i
const LOGFMT_LEVEL = /(?:^|\s)(?:level|lvl|severity)="?(\w{1,20})"?(?=\s|$)/i
const LOGFMT_TEXT = /(?:^|\s)(?:msg|message)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/
const LOGFMT_ERROR = /(?:^|\s)(?:err|error)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/
const KLOG = /^([IWEF])\d{4} [\d:.]{8,20}\s+\d{1,9} ([\w.-]{1,100}):\d{1,6}\] /
const DOTNET = /^(?:fail|crit): ([\w.]{1,200})\[\d+\]\s*$/
const PHP = /PHP (?:Fatal|Parse|Recoverable fatal) error:\s/
const RUST = /^thread '[^']{0,100}' (?:\(\d+\) )?panicked at (.*)$/
const CRASHED =
  /^(?:Segmentation fault|Bus error|Illegal instruction|Aborted \(core|terminate called|free\(\): |double free|malloc\(\): )/
const EXCEPTION =
  /^(?:\(node:\d+\) )?(?:Uncaught |UnhandledPromiseRejectionWarning: |\[?UnhandledPromiseRejection[:\s]+|Unhandled exception[.:] |Exception in thread "[^"]{0,100}" )?((?:[A-Za-z_$][\w$]{0,60}(?:\.|::|\\)){0,12}[A-Z][\w$]{0,80}(?:Error|Exception|Panic|Fault|Failure)|Error|KeyboardInterrupt|SystemExit)(?: \[\w{1,60}\])?(?::\s|\s*$)/
const RUBY = /^\S{1,300}:\d+:in ['`].{1,200}'?: .{0,2000}\([A-Z][\w:]{1,100}\)$/
const TRACEBACK = /^Traceback \(most recent call last\):/

/** What a line says when it is the first of an error, or `null`. The line has no terminal controls in it any more. */
export function errorHeadOf(line: string): ErrorHead | null {
  const json = jsonHeadOf(line)
  if (json !== undefined) return json === null ? null : { ...json, opens: 'nothing' }
  if (/^\s/.test(line)) return null
  if (TRACEBACK.test(line)) return { text: '', frame: null, opens: 'traceback' }
  return logfmtHead(line) ?? levelHead(line) ?? crashHead(line)
}

/** Whether something that was thrown is shown on this line, without a level in front. */
export const showsException = (line: string): boolean => EXCEPTION.test(line)

const words = (text: string): ErrorHead => ({ text: text.trim(), frame: null, opens: 'words' })

function logfmtHead(line: string): ErrorHead | null {
  const level = LOGFMT_LEVEL.exec(line)
  if (level === null || !isErrorLevel(level[1] ?? '')) return null
  const said = wordsIn(LOGFMT_TEXT.exec(line))
  const thrown = wordsIn(LOGFMT_ERROR.exec(line))
  const text = [said, thrown].filter((part) => part !== '').join(': ')
  return words(text === '' ? line : text)
}

const wordsIn = (found: RegExpExecArray | null): string => found?.[1] ?? found?.[2] ?? ''

/** The first level on the line is the line's level: `INFO went to state ERROR` is no error. */
function levelHead(line: string): ErrorHead | null {
  const klog = KLOG.exec(line)
  if (klog !== null)
    return klog[1] === 'E' || klog[1] === 'F' ? words(`${klog[2]} ${line.slice(klog[0].length)}`) : null
  if (LOGFMT_LEVEL.test(line)) return null
  const front = line.slice(0, LEVEL_WITHIN)
  const level = LEVEL.exec(front)
  const bracketed = BRACKETED.exec(front)
  const found = bracketed !== null && bracketed.index < (level?.index ?? front.length) ? bracketed : level
  if (found === null || !isErrorLevel(found[1] ?? '')) return null
  const rest = line.slice(found.index + found[0].length).replace(/^[\s\]|:>),!-]+/, '')
  return words(rest === '' ? line : rest)
}

function crashHead(line: string): ErrorHead | null {
  if (LEVEL.test(line.slice(0, LEVEL_WITHIN))) return null
  const rust = RUST.exec(line)
  if (rust !== null) {
    const isOld = /^['"]/.test(rust[1] ?? '')
    return { text: isOld ? line : 'panicked', frame: null, opens: isOld ? 'exception' : 'message-follows' }
  }
  const dotnet = DOTNET.exec(line)
  if (dotnet !== null) return { text: dotnet[1] ?? '', frame: null, opens: 'message-follows' }
  const isThrown = EXCEPTION.test(line) || RUBY.test(line)
  if (!isThrown && !AT_FRONT.test(line) && !CRASHED.test(line) && !PHP.test(line)) return null
  return { text: line.trim(), frame: null, opens: 'exception' }
}
