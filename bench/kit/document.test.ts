import { expect, it } from 'vitest'
import { withSection, withSections } from './document.ts'

const NAMES = ['wire', 'loss']

it('replaces the chapter that was measured and keeps the other', () => {
  const first = withSections(
    '# Head',
    '',
    NAMES,
    new Map([
      ['wire', '## Wire\nold'],
      ['loss', '## Loss\nkept'],
    ]),
  )
  const second = withSections('# Head', first, NAMES, new Map([['wire', '## Wire\nnew']]))
  expect(second).toContain('## Wire\nnew')
  expect(second).toContain('## Loss\nkept')
  expect(second).not.toContain('old')
  expect(second).toMatch(/^# Head\n/)
})

it('is the same document when the same figures are written again', () => {
  const figures = new Map([['loss', '## Loss\n0 lost']])
  const once = withSections('# Head', '', NAMES, figures)
  expect(withSections('# Head', once, NAMES, figures)).toBe(once)
})

it('replaces one chapter of a document that is written by hand, and nothing else', () => {
  const before = '# By hand\n\n<!-- bench wire -->\nold\n<!-- end wire -->\n\nAlso by hand.\n'
  const after = withSection(before, 'wire', 'new')
  expect(after).toBe('# By hand\n\n<!-- bench wire -->\nnew\n<!-- end wire -->\n\nAlso by hand.\n')
  expect(withSection(after, 'wire', 'new')).toBe(after)
})

it('appends the chapter when the document has none', () => {
  const chapter = '<!-- bench wire -->\nnew\n<!-- end wire -->\n'
  expect(withSection('# By hand\n', 'wire', 'new')).toBe(`# By hand\n\n${chapter}`)
  expect(withSection('', 'wire', 'new')).toBe(chapter)
})
