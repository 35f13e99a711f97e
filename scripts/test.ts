import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SUITES } from './suites.ts'
import { missingPrograms } from './testbed/programs.ts'
import { describeMissing } from './testbed/report.ts'

// `node scripts/test.ts fast|full [what vitest takes]`. The last line is the sum, the exit code that of vitest.

const [name = 'fast', ...rest] = process.argv.slice(2)
if (name !== 'fast' && name !== 'full') {
  console.error(`There are the suites fast and full, not ${name}.`)
  process.exit(2)
}

const root = fileURLToPath(new URL('..', import.meta.url))
const { projects, limitMs } = SUITES[name]
console.log(describeMissing(missingPrograms()))
const chosen = rest.includes('--project') ? [] : projects.flatMap((project) => ['--project', project])
const { status, signal, error } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...chosen, ...rest],
  { cwd: root, stdio: 'inherit', timeout: limitMs },
)
if (status === null) {
  console.error(`The tests were ended by ${signal ?? 'an error'}: ${error?.message ?? 'no further word'}.`)
  console.log('\n0 passed, 1 failed, 0 skipped')
}
process.exitCode = status ?? 1
