/** What a process and the children it has waited for made disks do. What a cache answered is not in here. */
export type ProcessIo = { readBytes: number; writtenBytes: number }

/** Content of /proc/PID/io, see proc(5); `null` where it says nothing. */
export function parseIo(text: string): ProcessIo | null {
  const readBytes = amount(text, 'read_bytes')
  const writtenBytes = amount(text, 'write_bytes')
  return readBytes === null || writtenBytes === null ? null : { readBytes, writtenBytes }
}

function amount(text: string, name: string): number | null {
  const digits = new RegExp(`^${name}: (\\d{1,15})$`, 'm').exec(text)?.[1]
  return digits === undefined ? null : Number(digits)
}
