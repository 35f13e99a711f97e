import type { Complaint } from './complaint.ts'

/** What cannot work together, although each value is fine by itself. `paths` are the keys to blame, the first one by name. */
export type Conflict = Complaint & { paths: string[] }

export const repeated = (names: readonly string[], path: string, what: string): Conflict[] =>
  [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) =>
    conflict([path], `has ${what} twice: ${name}`, 'Remove one of the two.'),
  )

export const conflict = (paths: string[], message: string, remedy: string): Conflict => ({
  paths,
  code: 'CONFIG_CONFLICT',
  message,
  remedy,
})
