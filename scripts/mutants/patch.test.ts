import { describe, expect, it } from 'vitest'
import { applyPatch, parsePatch } from './patch.ts'

const PATCH = parsePatch(`# Nothing is ever ready.
--- a/src/core/ready.ts
+++ b/src/core/ready.ts
@@ -2,5 +2,5 @@
 function first() {
   const set = sets[0]
-  return set.ready > 0
+  return false
 }
 
`)
const SOURCE = `import { sets } from './sets.ts'
function first() {
  const set = sets[0]
  return set.ready > 0
}

export { first }
`
const text = (source: string): string => {
  const applied = applyPatch(source, PATCH)
  return 'source' in applied ? applied.source : applied.why
}

describe('a patch of a mutant', () => {
  it('is read with its words, its file and its store', () => {
    expect(PATCH).toMatchObject({
      title: 'Nothing is ever ready.',
      file: 'src/core/ready.ts',
      store: 'memory',
    })
    expect(parsePatch('# Words.\n# store: sqlite\n+++ b/src/x.ts\n')).toMatchObject({
      title: 'Words.',
      store: 'sqlite',
    })
  })

  it('changes its lines wherever they have moved, and however they are indented now', () => {
    expect(text(SOURCE)).toBe(SOURCE.replace('set.ready > 0', 'false'))
    expect(text(`\n\n\n${SOURCE}`)).toContain('return false')
    expect(text(SOURCE.replaceAll('  ', '    '))).toContain('return false')
  })

  it('does without context at its edges when that was changed', () => {
    const changed = SOURCE.replace('function first()', 'function firstOf(sets: Set[])')
    expect(text(changed)).toBe(changed.replace('set.ready > 0', 'false'))
  })

  it('refuses a source from which its lines are gone, or which has them twice', () => {
    expect(text(SOURCE.replace('set.ready > 0', 'set.ready >= 1'))).toMatch(/nothing like line 2/)
    expect(text(`${SOURCE}${SOURCE}`)).toMatch(/there twice/)
  })
})
