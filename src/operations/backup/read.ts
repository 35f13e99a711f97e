import { createReadStream } from 'node:fs'
import { type Problem, ProblemError } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { StoreRow } from '../../ports/store.ts'
import { createRowCheck } from '../../ports/store-rows.ts'
import { BACKUP_FORMAT, BackupEnd, BackupHeader, decodeLine, NO_SUM } from './format.ts'
import { damaged, newer, notFound, notOne, truncated } from './problems.ts'
import { noRows, type RowCounts } from './write.ts'

/** A state of one service is far below this; what is longer is no line of ours, and is not read into memory. */
const LINE_LIMIT_BYTES = 64 * 1024 * 1024
const NEWLINE = 0x0a

export type ReadBackup = { header: BackupHeader; counts: RowCounts }

/** Reads the whole file and checks every line and row, changing nothing; `onRow` sees each row that is sound. */
export async function readBackup(
  file: string,
  onRow: (row: StoreRow) => void = () => undefined,
): Promise<Result<ReadBackup>> {
  const counts = noRows()
  let header: BackupHeader | null = null
  try {
    for await (const part of partsOf(file)) {
      if (part.kind === 'header') header = part.header
      else {
        counts[part.row.row] += 1
        onRow(part.row)
      }
    }
  } catch (error) {
    return failed(problemOf(file, error))
  }
  return header === null ? failed(notOne(file)) : ok({ header, counts })
}

/** The rows alone. What is wrong with the file ends them as a `ProblemError`, for a receiver that takes all of it back. */
export async function* rowsOf(file: string): AsyncGenerator<StoreRow> {
  try {
    for await (const part of partsOf(file)) if (part.kind === 'row') yield part.row
  } catch (error) {
    throw new ProblemError(problemOf(file, error))
  }
}

function problemOf(file: string, error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof Error && 'syscall' in error) return notFound(file, error.message)
  throw error
}

type Part = { kind: 'header'; header: BackupHeader } | { kind: 'row'; row: StoreRow }
type Reading = {
  file: string
  sum: number
  rows: number
  ended: boolean
  check: ReturnType<typeof createRowCheck>
}

async function* partsOf(file: string): AsyncGenerator<Part> {
  const reading: Reading = { file, sum: NO_SUM, rows: 0, ended: false, check: createRowCheck() }
  const last = { line: 0, bytes: 0 }
  for await (const line of linesOf(file)) {
    last.line = line.number
    last.bytes = line.start + line.bytes.length + 1
    if (line.number === 1) yield { kind: 'header', header: readHeader(reading, line) }
    else {
      const row = readRow(reading, line)
      if (row !== null) yield { kind: 'row', row }
    }
  }
  if (last.line === 0) throw new ProblemError(notOne(file))
  if (!reading.ended) throw new ProblemError(truncated(file, last))
}

function readHeader(reading: Reading, { bytes }: Line): BackupHeader {
  const decoded = decodeLine(bytes, reading.sum)
  const parsed = decoded.kind === 'sound' ? BackupHeader.safeParse(decoded.value) : null
  if (decoded.kind === 'wrong' || parsed?.success !== true) throw new ProblemError(notOne(reading.file))
  if (parsed.data.format > BACKUP_FORMAT) throw new ProblemError(newer(reading.file, parsed.data))
  reading.sum = decoded.sum
  return parsed.data
}

/** `null`: the last line. */
function readRow(reading: Reading, { bytes, number, start }: Line): StoreRow | null {
  const wrong = (complaint: string) =>
    new ProblemError(damaged(reading.file, { line: number, byte: start, complaint }))
  if (reading.ended) throw wrong('something follows its last line')
  const decoded = decodeLine(bytes, reading.sum)
  if (decoded.kind === 'wrong') throw wrong(decoded.complaint)
  reading.sum = decoded.sum
  const end = BackupEnd.safeParse(decoded.value)
  if (end.success) {
    const whole = reading.check.end()
    if (whole.kind === 'wrong') throw wrong(whole.complaint)
    if (end.data.rows !== reading.rows)
      throw wrong(`it says ${end.data.rows} rows, and there are ${reading.rows}`)
    reading.ended = true
    return null
  }
  const taken = reading.check.take(decoded.value)
  if (taken.kind === 'wrong') throw wrong(taken.complaint)
  reading.rows += 1
  return taken.row
}

type Line = { number: number; start: number; bytes: Buffer }

/** What follows the last end of a line was cut off in the middle: it is no line. */
async function* linesOf(file: string): AsyncGenerator<Line> {
  let rest: Buffer[] = []
  let restBytes = 0
  let number = 0
  let start = 0
  for await (const chunk of createReadStream(file)) {
    let piece: Buffer = chunk
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE)) {
      const bytes = Buffer.concat([...rest, piece.subarray(0, end)])
      number += 1
      yield { number, start, bytes }
      start += bytes.length + 1
      rest = []
      restBytes = 0
      piece = piece.subarray(end + 1)
    }
    rest.push(piece)
    restBytes += piece.length
    if (restBytes > LINE_LIMIT_BYTES)
      throw new ProblemError(
        damaged(file, { line: number + 1, byte: start, complaint: 'it is longer than any line of a backup' }),
      )
  }
  if (number === 0 && restBytes > 0) throw new ProblemError(notOne(file))
  if (restBytes > 0) throw new ProblemError(truncated(file, { line: number, bytes: start }))
}
