import { open } from 'node:fs/promises'

/** Read from the end at most: 5,000 lines of the length that they have. */
const TAIL_BYTES = 4 * 1024 * 1024

/** The last whole lines of a file that somebody else writes; none when there is no such file. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (handle === null) return []
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const text = buffer.subarray(0, bytesRead).toString('utf8')
    const whole = text.slice(length < size ? text.indexOf('\n') + 1 : 0, text.lastIndexOf('\n') + 1)
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .slice(-count)
  } finally {
    await handle.close()
  }
}
