import { describe, expect, it } from 'vitest'
import { routeClass } from './route-class.ts'

describe('route class', () => {
  it.each([
    ['/', 'GET /'],
    ['/?x=1', 'GET /'],
    ['/cart', 'GET /cart'],
    ['/cart/17?x=1', 'GET /cart'],
    ['/cart?x=1', 'GET /cart'],
    ['/api-v2/x', 'GET /api-v2'],
    ['/17', 'GET /*'],
    ['/3f9a/x', 'GET /*'],
    ['/%2e%2e/x', 'GET /*'],
    [`/${'a'.repeat(32)}`, `GET /${'a'.repeat(32)}`],
    [`/${'a'.repeat(33)}`, 'GET /*'],
    [`/${'a'.repeat(5_000)}/x`, 'GET /*'],
  ])('counts %s as %s', (path, expected) => {
    expect(routeClass('GET', path)).toBe(expected)
  })
})
