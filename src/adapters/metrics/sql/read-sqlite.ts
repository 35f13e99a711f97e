import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import * as z from 'zod'

// A program of its own: one question on standard input, one answer on standard output.

const Question = z.object({
  file: z.string(),
  text: z.string(),
  values: z.array(z.union([z.string(), z.number()])),
  timeoutMs: z.number(),
})
const Value = z.union([z.number(), z.string(), z.null()])

/** JSON has no infinities; as text they come through. */
const plain = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : Value.parse(value)

function read({ file, text: statement, values, timeoutMs }: z.infer<typeof Question>): object {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: timeoutMs })
    database.exec('PRAGMA query_only = ON')
    const rows = database.prepare(statement).all(...values)
    return { kind: 'rows', rows: rows.map(plainRow) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { kind: 'trouble', what: kindOf(message), message }
  }
}

const plainRow = (row: object): object =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))

function kindOf(message: string): 'writes' | 'refused' | 'away' | 'unwell' {
  if (/readonly|read-only/i.test(message)) return 'writes'
  if (/unable to open|not a database|malformed/i.test(message)) return 'away'
  return /locked|busy/i.test(message) ? 'unwell' : 'refused'
}

process.stdout.write(JSON.stringify(read(Question.parse(JSON.parse(await text(process.stdin))))))
