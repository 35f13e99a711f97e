// Imported before a controller (`node --import`): stops the process, as SIGSTOP does, at the moment in which it hands a
// certain request to the kernel. After SIGCONT the request goes out as it was: a late one, from a controller that was replaced.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'

/** Holds the text of the request to freeze at. Whoever freezes renames it to `<file>.frozen`; `<file>.sent` says what went out. */
const file = process.env.FREEZE_FILE ?? ''

type Chunk = { chunk: Buffer | string }
type Write = (writev: boolean, data: unknown, encoding: unknown, done: unknown) => unknown

// All that a socket writes goes through here, when it is connected.
const write: Write = Reflect.get(Socket.prototype, '_writeGeneric')
const isChunk = (part: unknown): part is Chunk => typeof part === 'object' && part !== null && 'chunk' in part
const textOf = (data: unknown): string =>
  Array.isArray(data)
    ? data.map((part: unknown) => (isChunk(part) ? part.chunk.toString() : '')).join('')
    : String(data)

function writeFrozen(this: Socket, ...args: Parameters<Write>): unknown {
  const text = this.connecting || !existsSync(file) ? '' : textOf(args[1])
  if (text === '' || !text.includes(readFileSync(file, 'utf8'))) return Reflect.apply(write, this, args)
  renameSync(file, `${file}.frozen`)
  process.kill(process.pid, 'SIGSTOP')
  const written = Reflect.apply(write, this, args)
  writeFileSync(`${file}.sent`, text)
  return written
}
Reflect.set(Socket.prototype, '_writeGeneric', writeFrozen)
