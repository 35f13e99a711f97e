const HEADER_BYTES = 8
/** The engine's messages have 16 KiB; more is not its stream. */
const MOST_BYTES = 1024 * 1024

/**
 * Takes apart what logs and programs in containers send (API of the engine, "Attach to a container: stream format"): a
 * header with the length, then the message. Chunks may end anywhere.
 *
 * @throws when this is no such stream.
 */
export function createDemux(): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const found: Buffer[] = []
    let from = 0
    while (rest.length - from >= HEADER_BYTES) {
      const length = rest.readUInt32BE(from + 4)
      if (length > MOST_BYTES) throw new Error(`a message of ${length} bytes from a container`)
      if (rest.length - from - HEADER_BYTES < length) break
      found.push(rest.subarray(from + HEADER_BYTES, from + HEADER_BYTES + length))
      from += HEADER_BYTES + length
    }
    rest = rest.subarray(from)
    return found
  }
}
