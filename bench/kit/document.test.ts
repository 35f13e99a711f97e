import { expect, it } from 'vitest'
import { withSections } from './document.ts'

const NAMES = ['wire', 'loss']

it('replaces the chapter that was measured and keeps the other', () => {
  const first = withSections(
    '',
    NAMES,
    new Map([
      ['wire', '## Wire\nold'],
      ['loss', '## Loss\nkept'],
    ]),
  )
  const second = withSections(first, NAMES, new Map([['wire', '## Wire\nnew']]))
  expect(second).toContain('## Wire\nnew')
  expect(second).toContain('## Loss\nkept')
  expect(second).not.toContain('old')
})

it('is the same document when the same figures are written again', () => {
  const figures = new Map([['loss', '## Loss\n0 lost']])
  const once = withSections('', NAMES, figures)
  expect(withSections(once, NAMES, figures)).toBe(once)
})
