import { describe, expect, it } from 'vitest'
import { referenceOf, textOf } from './reference.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const read = (pattern: string, version = '1.2.3') => {
  const found = referenceOf(pattern, version)
  return found.kind === 'ok' ? found.value : found.problem.code
}

describe('the name of an image', () => {
  it.each([
    ['shop:{{version}}', 'docker.io', 'shop', '1.2.3', null],
    ['acme/shop', 'docker.io', 'acme/shop', null, null],
    ['localhost/shop:v{{version}}', 'localhost', 'localhost/shop', 'v1.2.3', null],
    ['registry.local:5000/a/shop:1', 'registry.local:5000', 'registry.local:5000/a/shop', '1', null],
    ['localhost:5000/shop', 'localhost:5000', 'localhost:5000/shop', null, null],
    [`shop@${DIGEST}`, 'docker.io', 'shop', null, DIGEST],
    [`r.local/shop:1@${DIGEST}`, 'r.local', 'r.local/shop', '1', DIGEST],
  ])('%s is of %s', (pattern, registry, name, tag, digest) => {
    expect(read(pattern)).toMatchObject({ registry, name, tag, digest })
  })

  it('is written as the engine reads it back', () => {
    const written = (pattern: string) => {
      const found = referenceOf(pattern, '7')
      return found.kind === 'ok' ? textOf(found.value) : ''
    }
    expect(written('shop')).toBe('shop:latest')
    expect(written('r.local:5000/shop:{{version}}')).toBe('r.local:5000/shop:7')
    expect(written(`shop@${DIGEST}`)).toBe(`shop@${DIGEST}`)
  })

  it.each([
    ['shop:{{version}}', 'a b'],
    ['shop:{{version}}', '../x'],
    ['shop:{{version}}', 'x'.repeat(129)],
    ['shop:{{version}}', '1@sha256:x'],
    ['', '1'],
    ['--flag', '1'],
    ['shop\n', '1'],
    ['shop?x=1', '1'],
    ['x'.repeat(700), '1'],
  ])('is refused before anybody is asked: %j with %j', (pattern, version) => {
    expect(read(pattern, version)).toBe('IMAGE_BAD_REFERENCE')
  })
})
