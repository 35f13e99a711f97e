import type { ReleaseErrors } from '../core/shared/error-signature/report.ts'
import {
  createErrorScanner,
  type ErrorScanner,
  type SaidError,
} from '../core/shared/error-signature/scanner.ts'
import { countError, noErrors } from '../core/shared/error-signature/tally.ts'
import type { Redact } from '../core/shared/redact.ts'
import { type ErrorMemory, type ReadPosition, readErrorMemory, saveErrorMemory } from './error-memory.ts'
import type { InstanceRecord } from './instance-record.ts'
import { type CappedLog, logPath, previousPath, readFrom, sizeOf } from './log-file.ts'

/** Soon enough for a look of the controller, seldom enough to cost nothing. */
const TURN_EVERY_MS = 250
/** One read. A line that is longer than this is looked at only at its beginning. */
const CHUNK_BYTES = 64 * 1024
/** A turn ends after this time, however much is unread: the agent has more urgent things to do. */
const TURN_LIMIT_MS = 8
const LINE_FEED = 10
const SAVE_EVERY_MS = 2000

type ErrorReaderParts = { path: string; logFolder: string; boot: string; redact: Redact }
type Reading = {
  position: ReadPosition
  scanner: ErrorScanner
  /** Within a line whose beginning was looked at. */
  isSkipping: boolean
}

/** Reads what instances append to their logs and counts the errors in it, by release. A bounded piece at a time. */
export class ErrorReader {
  readonly #parts: ErrorReaderParts
  readonly #readings = new Map<string, Reading>()
  readonly #counted: Map<string, { service: string; errors: ReleaseErrors }>
  readonly #versions = new Map<string, number>()
  readonly #totals = new Map<string, { errors: number; lostBytes: number }>()
  #turnAt = 0
  #savedAt = 0
  #changed = false
  #first = 0

  constructor(parts: ErrorReaderParts) {
    this.#parts = parts
    const memory = readErrorMemory(parts.path)
    this.#counted = new Map(memory.sets.map((set) => [keyOf(set.service, set.errors.release), set]))
    for (const position of memory.positions) this.#readings.set(position.instance, this.#reading(position))
  }

  /** Called again and again; reads when it is time. Begins with another instance each time, so that none is left behind. */
  turn(instances: readonly InstanceRecord[], now: number): void {
    if (now >= this.#turnAt && now - this.#turnAt < TURN_EVERY_MS) return
    this.#turnAt = now
    this.#prune(instances)
    const own = instances.filter(({ adopted }) => !adopted)
    const until = performance.now() + TURN_LIMIT_MS
    for (let count = 0; count < own.length && performance.now() < until; count += 1) {
      const record = own[this.#first % own.length]
      if (record !== undefined) this.#readAll(record, now, until)
      this.#first = (this.#first + 1) % own.length
    }
    if (this.#changed && (now < this.#savedAt || now - this.#savedAt >= SAVE_EVERY_MS)) this.save(now)
  }

  /** The log of an instance was full: what is unread of it stands in the previous file now, or is lost. */
  capped(record: InstanceRecord, { keptBytes, bytes }: CappedLog): void {
    const reading = this.#readingOf(record.id)
    const { position } = reading
    let unread = position.offset
    if (position.previousBytes !== null) {
      this.#lose(record, position.previousBytes - position.offset)
      unread = 0
    }
    const isKept = unread < keptBytes
    this.#lose(record, bytes - Math.max(keptBytes, unread))
    reading.position = {
      ...position,
      offset: isKept ? unread : 0,
      previousBytes: isKept ? keptBytes : null,
    }
    this.save(this.#turnAt)
  }

  /** Changes whenever `errorsOf` would answer something else. */
  version(service: string): string {
    return `${this.#parts.boot}.${this.#versions.get(service) ?? 0}`
  }

  /** Since this agent was started. */
  totals(service: string): { errors: number; lostBytes: number } {
    return this.#totals.get(service) ?? { errors: 0, lostBytes: 0 }
  }

  /** By release; a release whose output was read and has no error in it stands there with none. */
  errorsOf(service: string): ReleaseErrors[] {
    return [...this.#counted.values()].filter((set) => set.service === service).map(({ errors }) => errors)
  }

  /** The agent ends: nobody waits for the rest of a trace. */
  close(instances: readonly InstanceRecord[], now: number): void {
    for (const record of instances) {
      const reading = this.#readings.get(record.id)
      if (reading !== undefined) this.#count(record, reading.scanner.flush(), now)
    }
    this.save(now)
  }

  save(now: number): void {
    const memory: ErrorMemory = {
      format: 1,
      sets: [...this.#counted.values()],
      positions: [...this.#readings.values()].map(({ position }) => position),
    }
    saveErrorMemory(this.#parts.path, memory)
    this.#savedAt = now
    this.#changed = false
  }

  #readAll(record: InstanceRecord, now: number, until: number): void {
    this.#setOf(record)
    const reading = this.#readingOf(record.id)
    let isSilent = true
    while (this.#readChunk(record, reading, now)) {
      isSilent = false
      if (performance.now() >= until) return
    }
    // The rest of a stack trace may come a moment later.
    if (isSilent) this.#count(record, reading.scanner.flush(), now)
  }

  /** Answers whether there was something, and so may be more. */
  #readChunk(record: InstanceRecord, reading: Reading, now: number): boolean {
    const { position } = reading
    const current = logPath(this.#parts.logFolder, record.id)
    const isPrevious = position.previousBytes !== null
    const size = position.previousBytes ?? sizeOf(current)
    const unread = size - position.offset
    if (unread <= 0) {
      if (isPrevious || unread < 0) reading.position = { ...position, offset: 0, previousBytes: null }
      return isPrevious
    }
    const path = isPrevious ? previousPath(current) : current
    const bytes = readFrom(path, position.offset, Math.min(CHUNK_BYTES, unread))
    const isEnd = bytes.length >= unread && (isPrevious || record.process === null)
    const lost = bytes.length === 0 ? unread : 0
    const used = usedOf(bytes, isEnd)
    this.#lose(record, lost)
    this.#readLines(record, { reading, bytes: bytes.subarray(0, used), now, isEnd })
    reading.position = { ...position, offset: position.offset + used + lost }
    if (used > 0) this.#changed = true
    return used + lost > 0
  }

  #readLines(
    record: InstanceRecord,
    { reading, bytes, now, isEnd }: { reading: Reading; bytes: Buffer; now: number; isEnd: boolean },
  ): void {
    const lines = bytes.toString('utf8').split('\n')
    const isCut = bytes.length > 0 && bytes.at(-1) !== LINE_FEED && !isEnd
    if (lines.at(-1) === '') lines.pop()
    for (const line of reading.isSkipping ? lines.slice(1) : lines)
      this.#count(record, reading.scanner.read(line), now)
    if (bytes.length > 0) reading.isSkipping = isCut
  }

  #count(record: InstanceRecord, said: readonly SaidError[], now: number): void {
    if (said.length === 0) return
    const set = this.#setOf(record)
    for (const error of said) set.errors = countError(set.errors, error, now)
    this.#addTotals(record.service, { errors: said.length, lostBytes: 0 })
  }

  #lose(record: InstanceRecord, bytes: number): void {
    if (bytes <= 0) return
    const set = this.#setOf(record)
    set.errors = { ...set.errors, lostBytes: set.errors.lostBytes + bytes }
    this.#addTotals(record.service, { errors: 0, lostBytes: bytes })
  }

  #addTotals(service: string, more: { errors: number; lostBytes: number }): void {
    const { errors, lostBytes } = this.totals(service)
    this.#totals.set(service, { errors: errors + more.errors, lostBytes: lostBytes + more.lostBytes })
    this.#hasChanged(service)
  }

  #hasChanged(service: string): void {
    this.#versions.set(service, (this.#versions.get(service) ?? 0) + 1)
    this.#changed = true
  }

  #setOf({ service, release }: InstanceRecord): { service: string; errors: ReleaseErrors } {
    const key = keyOf(service, release)
    const known = this.#counted.get(key)
    if (known !== undefined) return known
    const fresh = { service, errors: noErrors(release) }
    this.#counted.set(key, fresh)
    this.#hasChanged(service)
    return fresh
  }

  #readingOf(instance: string): Reading {
    const known = this.#readings.get(instance)
    if (known !== undefined) return known
    const fresh = this.#reading({ instance, offset: 0, previousBytes: null })
    this.#readings.set(instance, fresh)
    return fresh
  }

  #reading(position: ReadPosition): Reading {
    return { position, scanner: createErrorScanner(this.#parts.redact), isSkipping: false }
  }

  /** What no instance is left of is forgotten. */
  #prune(instances: readonly InstanceRecord[]): void {
    const ids = new Set(instances.map(({ id }) => id))
    for (const id of this.#readings.keys()) if (!ids.has(id)) this.#readings.delete(id)
    const keys = new Set(instances.map(({ service, release }) => keyOf(service, release)))
    for (const [key, { service }] of this.#counted) {
      if (keys.has(key)) continue
      this.#counted.delete(key)
      this.#hasChanged(service)
    }
  }
}

/** How many bytes can be looked at now: a last line that may still grow waits, unless nothing else would fit. */
function usedOf(bytes: Buffer, isEnd: boolean): number {
  const lines = bytes.lastIndexOf(LINE_FEED) + 1
  if (isEnd || (lines === 0 && bytes.length === CHUNK_BYTES)) return bytes.length
  return lines
}

const keyOf = (service: string, release: string): string => JSON.stringify([service, release])
