// Puts together `releases/<version>/`, each complete by itself: the common source and the changes of that version.
// The result is committed, so that nobody has to run this. `--check` only tells whether it is up to date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const RELEASES = {
  '1.0.0': [],
  '1.1.0': ['delivery-promise'],
  '1.2.0': ['delivery-promise', 'tidier-payment'],
  '1.3.0': ['delivery-promise', 'recently-viewed'],
  '1.4.0': ['delivery-promise', 'warehouse'],
}

const here = fileURLToPath(new URL('.', import.meta.url))
const filesIn = (folder) =>
  readdirSync(`${here}${folder}`).map((name) => [name, readFileSync(`${here}${folder}/${name}`, 'utf8')])

/** Name and content of each file of a release. */
function contentOf(version, changes) {
  const manifest = { name: 'shop', version, private: true, type: 'module' }
  const layers = [filesIn('src'), ...changes.map((change) => filesIn(`changes/${change}`))]
  return new Map([...layers.flat(), ['package.json', `${JSON.stringify(manifest, null, 2)}\n`]])
}

function isUpToDate(version, content) {
  const folder = `releases/${version}`
  if (!existsSync(`${here}${folder}`)) return false
  const found = filesIn(folder)
  return found.length === content.size && found.every(([name, text]) => content.get(name) === text)
}

function write(version, content) {
  const folder = `${here}releases/${version}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of content) writeFileSync(`${folder}/${name}`, text)
}

for (const [version, changes] of Object.entries(RELEASES)) {
  const content = contentOf(version, changes)
  if (isUpToDate(version, content)) continue
  if (process.argv.includes('--check')) {
    console.error(`releases/${version} is not what build.mjs makes. Run: node examples/shop/build.mjs`)
    process.exitCode = 1
  } else {
    write(version, content)
    console.log(`releases/${version} written`)
  }
}
