import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const BUILT = join(root, 'dist/main.js')
const SOURCES = join(root, 'tools/bin/sluice.ts')

/** The `sluice` that is measured: the build that the package ships if it is newer than all sources, else the sources. */
export type Program = { file: string; text: string }

export function programUnderTest(): Program {
  return isCurrent()
    ? { file: BUILT, text: 'the built package (dist/main.js)' }
    : {
        file: SOURCES,
        text: 'the sources, because dist/ is missing or older than src/ (npm run build makes it)',
      }
}

function isCurrent(): boolean {
  if (!existsSync(BUILT)) return false
  const builtMs = statSync(BUILT).mtimeMs
  const source = join(root, 'src')
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
    .every((name) => statSync(join(source, name)).mtimeMs <= builtMs)
}
