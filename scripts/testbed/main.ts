import { installPrograms } from './install.ts'
import { missingPrograms } from './programs.ts'
import { describeMissing } from './report.ts'

// `node scripts/testbed/main.ts`: says which programs the tests miss; with --install it installs them first.

const missing = missingPrograms()
const trouble = missing.length > 0 && process.argv.includes('--install') ? installPrograms(missing) : null
if (trouble !== null) console.error(`testbed: nothing was installed; ${trouble}`)
console.error(describeMissing(missingPrograms()))
