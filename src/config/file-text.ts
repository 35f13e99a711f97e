import { readFileSync, statSync } from 'node:fs'

/** What is there under a path. Sizes in bytes; `code` is the one of the system. */
export type FileText = { kind: 'text'; text: string } | Unreadable
export type Unreadable =
  | { kind: 'missing' }
  | { kind: 'folder' }
  | { kind: 'not-a-file' }
  | { kind: 'too-large'; bytes: number }
  | { kind: 'unreadable'; code: string }
  | { kind: 'utf-16' }
  | { kind: 'not-utf-8' }

/** A regular file of UTF-8 text up to a size; a mark at its beginning is left out. Zero bytes are left to the caller. */
export function readFileText(file: string, maxBytes: number): FileText {
  try {
    const stats = statSync(file)
    if (stats.isDirectory()) return { kind: 'folder' }
    if (!stats.isFile()) return { kind: 'not-a-file' }
    if (stats.size > maxBytes) return { kind: 'too-large', bytes: stats.size }
    return decoded(readFileSync(file))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? { kind: 'missing' } : { kind: 'unreadable', code }
  }
}

function decoded(bytes: Buffer): FileText {
  if (bytes.length >= 2 && ['fffe', 'feff'].includes(bytes.subarray(0, 2).toString('hex')))
    return { kind: 'utf-16' }
  // A binary file is one, whatever its other bytes are.
  if (bytes.includes(0)) return { kind: 'text', text: bytes.toString('latin1') }
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return { kind: 'not-utf-8' }
  }
}
