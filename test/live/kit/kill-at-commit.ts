// Imported before the controller (`node --import`): ends the process by SIGKILL right before or right after a COMMIT.
// Every boundary (what a transaction wrote, without times and numbers) is hit twice, once on each side; the file named
// by KILLS_FILE remembers which were, over all incarnations.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { nameOf } from './event-name.ts'

const file = process.env.KILLS_FILE ?? ''
const done = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])
const statements = new WeakMap<StatementSync, string>()
let written: string[] = []

const { exec, prepare } = DatabaseSync.prototype
const { run } = StatementSync.prototype

DatabaseSync.prototype.prepare = function (sql, ...rest) {
  const statement = prepare.call(this, sql, ...rest)
  statements.set(statement, sql)
  return statement
}

StatementSync.prototype.run = function (...values: never[]) {
  written.push(...partsOf(statements.get(this) ?? '', values))
  return Reflect.apply(run, this, values)
}

DatabaseSync.prototype.exec = function (sql) {
  if (sql.startsWith('BEGIN')) written = []
  if (sql !== 'COMMIT') return exec.call(this, sql)
  const boundary = boundaryOf(written)
  endAt(`before ${boundary}`)
  exec.call(this, sql)
  endAt(`after ${boundary}`)
}

function endAt(place: string): void {
  if (done.has(place) || place.endsWith(' ')) return
  appendFileSync(file, `${place}\n`)
  process.kill(process.pid, 'SIGKILL')
}

/** Numbers that come with each look say nothing of their own beside another event. */
function boundaryOf(parts: readonly string[]): string {
  const telling = parts.filter((part) => part !== 'metrics-observed')
  return (telling.length > 0 ? telling : parts).slice(0, 12).join(', ')
}

function partsOf(sql: string, values: readonly unknown[]): string[] {
  if (sql.startsWith('INSERT INTO leases')) return ['lease changed']
  if (sql.startsWith('INSERT INTO documents')) return [`document ${values[0]}`]
  if (sql.startsWith('UPDATE outbox')) return ['message settled']
  if (!sql.startsWith('INSERT INTO events')) return []
  return [nameOf(JSON.parse(String(values[4])))]
}
