import { plainText, type Redact } from '../redact.ts'
import { type ErrorHead, errorHeadOf, showsException } from './error-head.ts'
import { frameOf } from './frame.ts'

/** One error: what makes it this one, and the line that a person recognises it by. */
export type SaidError = { text: string; example: string }

const NOTHING: readonly SaidError[] = []

export type ErrorScanner = {
  /** Takes the next line; answers with what it completes, mostly nothing. */
  read(line: string): readonly SaidError[]
  /** Nothing more will follow soon: what is still open. */
  flush(): readonly SaidError[]
}

/** A trace that goes on for longer is cut: what follows is looked at for itself. */
const MOST_TRACE_LINES = 500
/** In letters. Still holds an error in JSON with its stack. */
const LONGEST_LINE = 16_384
/** A line that was cut may end in half a secret, which would not be recognised. */
const LONGEST_SECRET = 4096
/** Most lines of a log are no errors; only what has one of these in it is looked at closely. */
const SUSPICIOUS =
  /err|fatal|crit|severe|panic|alert|emerg|exception|traceback|fail|fault|core|crash|terminate|free\(|malloc|"?(?:level|severity|lvl)"?[=:]\s?"?(?:[5-9]\d|[0-3]\b)|^[EF]\d{4} |KeyboardInterrupt|SystemExit/i

type Open = {
  /** The line of a logger just above, which belongs to it if a stack trace follows. */
  above: Open | null
  head: ErrorHead
  example: string
  thrown: string | null
  frame: string | null
  isTraceback: boolean
  isGoroutine: boolean
  wantsMessage: boolean
  lines: number
}

/** Finds errors in the output of one process, line by line as it was written. A stack trace counts once, together with the line above it. */
export function createErrorScanner(redact: Redact): ErrorScanner {
  let open: Open | null = null
  const close = (): readonly SaidError[] => {
    const done = open === null ? NOTHING : saidOf(open)
    open = null
    return done
  }
  return {
    read: (written) => {
      const isSuspicious = SUSPICIOUS.test(written.slice(0, LONGEST_LINE))
      if (open === null && !isSuspicious) return NOTHING
      const line = readable(written, redact)
      if (open !== null && follows(open, line)) return NOTHING
      const head = isSuspicious ? errorHeadOf(line) : null
      const above = open !== null && head !== null && throwsBelow(open, head, line) ? open : null
      const done = above === null ? close() : NOTHING
      open = head === null ? null : opened(head, line, above)
      return done
    },
    flush: close,
  }
}

function readable(written: string, redact: Redact): string {
  if (written.length <= LONGEST_LINE) return redact(plainText(written))
  return redact(plainText(written.slice(0, LONGEST_LINE))).slice(0, -LONGEST_SECRET)
}

const opened = (head: ErrorHead, line: string, above: Open | null): Open => ({
  above,
  head,
  example: line,
  thrown: null,
  frame: head.frame,
  isTraceback: head.opens === 'traceback',
  isGoroutine: false,
  wantsMessage: head.opens === 'message-follows',
  lines: 0,
})

/** Whether the line belongs to the error that is open; if so, what it adds is noted. */
function follows(open: Open, line: string): boolean {
  if (open.head.opens === 'nothing' || open.lines >= MOST_TRACE_LINES) return false
  if (!belongs(open, line)) return false
  if (line.trim() !== '') open.lines += 1
  return true
}

function belongs(open: Open, line: string): boolean {
  if (line.trim() === '') return true
  if (open.wantsMessage) {
    open.wantsMessage = false
    open.thrown = line.trim()
    return true
  }
  if (/^\s/.test(line)) return notesFrame(open, line)
  if (/^Traceback \(most recent/.test(line) || /^(?:During handling of|The above exception was)/.test(line)) {
    open.isTraceback = true
    return true
  }
  if (open.isTraceback) return endsTraceback(open, line)
  if (/^(?:goroutine \d+ \[|\[signal )/.test(line)) {
    open.isGoroutine = true
    return true
  }
  if (open.isGoroutine && /^(?:[\w./*()-]+\(.*\)|created by .*|exit status \d+)$/.test(line))
    return notesFrame(open, line)
  if (/^(?:Caused by: |Suppressed: |\.\.\. \d+ more|[}\]]+$|stack backtrace:|note: )/.test(line)) return true
  return false
}

/** What was thrown may stand on the line below the words of the logger. */
const throwsBelow = (open: Open, head: ErrorHead, line: string): boolean =>
  open.head.opens === 'words' && open.lines === 0 && head.opens === 'exception' && showsException(line)

function notesFrame(open: Open, line: string): boolean {
  // The newest call stands last in a traceback and first everywhere else.
  if (open.frame === null || open.isTraceback) open.frame = frameOf(line) ?? open.frame
  return true
}

function endsTraceback(open: Open, line: string): boolean {
  open.isTraceback = false
  open.thrown = line.trim()
  if (open.head.opens === 'traceback') open.example = line
  return true
}

function saidOf(open: Open): readonly SaidError[] {
  const { above, head, thrown, frame, example } = open
  // Without a trace these are two errors that happened to follow each other.
  if (above !== null && open.lines === 0) return [...saidOf(above), ...saidOf({ ...open, above: null })]
  const parts = [above?.head.text, head.text, thrown].filter((part) => isText(part))
  const shown = [above?.example, example, head.opens === 'traceback' ? null : thrown].filter((part) =>
    isText(part),
  )
  const text = parts.length === 0 ? 'Traceback' : parts.join(': ')
  return [{ text: frame === null ? text : `${text} at ${frame}`, example: shown.join(': ') }]
}

const isText = (part: string | null | undefined): boolean =>
  part !== null && part !== undefined && part !== ''
