const MASK = '[redacted]'
/** Shorter values are hidden only where they stand alone: hiding each `1` would destroy every line and protect nothing. */
const SHORTEST_ANYWHERE = 4

/** Hides secret values wherever text leaves a process. */
export type Redact = (text: string) => string

/** Hides each value as it is, line by line if it has several, and as it looks inside JSON and inside an address. */
export function redactor(values: Iterable<string>): Redact {
  const forms = [...new Set([...values].flatMap(formsOf))].filter((form) => form.trim() !== '')
  if (forms.length === 0) return (text) => text
  // Longest first, so that a secret that contains another one is hidden as a whole.
  const pattern = new RegExp(
    forms
      .sort((a, b) => b.length - a.length)
      .map(toPattern)
      .join('|'),
    'g',
  )
  return (text) => text.replace(pattern, MASK)
}

const formsOf = (value: string): string[] =>
  [value, ...value.split(/\r?\n/)].flatMap((form) => [
    form,
    JSON.stringify(form).slice(1, -1),
    encodeURIComponent(form.toWellFormed()),
  ])

function toPattern(form: string): string {
  const literal = form.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return form.length >= SHORTEST_ANYWHERE ? literal : `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`
}

const ESCAPE = String.fromCharCode(27)
/** Colours and titles (ECMA-48 CSI and OSC sequences), then every other control character but the tab. */
const CONTROL = new RegExp(
  String.raw`${ESCAPE}\[[0-9;?]*[ -/]*[@-~]|${ESCAPE}\][^\p{Cc}]*(?:\p{Cc}\\?)?|(?!\t)\p{Cc}`,
  'gu',
)

/** Output of a program as plain text: colours and other terminal controls would act on the reader's terminal. */
export const plainText = (text: string): string => text.replace(CONTROL, '')
