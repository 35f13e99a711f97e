import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeResponse, encodeRequest } from './grpc-message.ts'

describe('the messages of the gRPC health protocol', () => {
  it('are on the wire as the protocol says', () => {
    expect(encodeRequest('').toString('hex')).toBe('0000000000')
    // Field 1, length-delimited, 4 bytes: "shop".
    expect(encodeRequest('shop').toString('hex')).toBe('00000000060a0473686f70')
    expect(decodeResponse(Buffer.from('00000000020801', 'hex'))).toBe('SERVING')
    expect(decodeResponse(Buffer.from('00000000020802', 'hex'))).toBe('NOT_SERVING')
    expect(decodeResponse(Buffer.from('00000000020803', 'hex'))).toBe('SERVICE_UNKNOWN')
    // The number 0 is not written at all.
    expect(decodeResponse(Buffer.from('0000000000', 'hex'))).toBe('UNKNOWN')
  })

  it('with a name longer than 127 bytes have a length of two bytes', () => {
    expect(encodeRequest('x'.repeat(200)).subarray(5, 8).toString('hex')).toBe('0ac801')
  })

  it.each([
    ['nothing', ''],
    ['half a header', '0000'],
    ['less than it announces', '000000000908'],
    ['a compressed message', '01000000020801'],
    ['another field', '00000000021001'],
    ['a status that does not exist', '00000000020809'],
    ['a number without an end', '000000000608ffffffffff'],
  ])('are refused when they are %s', (_, hex) => {
    expect(decodeResponse(Buffer.from(hex, 'hex'))).toBeNull()
  })

  it('never throw, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeResponse(Buffer.from(bytes))
      }),
    )
  })
})
