// Builds the images of the shop: node build.mjs [--base node:24-alpine]
// Without --base they stand on the Node of this machine and its libraries, so that nothing is pulled from anywhere.
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const OWN_BASE = 'shop-base:1'
/** What stands for a database has one version for good. */
const VERSIONS = { web: ['1.0.0', '1.1.0', '1.2.0'], api: ['1.0.0', '1.1.0'], jobs: ['1.0.0'], db: ['1.0.0'] }

const { values } = parseArgs({ options: { base: { type: 'string' } } })
const base = values.base ?? importBase()
for (const [service, versions] of Object.entries(VERSIONS))
  for (const version of versions) build(`shop-${service}:${version}`, { service, version })

function build(image, { service, version }) {
  const words = [
    'build',
    '--quiet',
    '--tag',
    image,
    '--build-arg',
    `BASE=${base}`,
    '--build-arg',
    `VERSION=${version}`,
  ]
  // The newer builder asks a registry even for a base that is here.
  const env = values.base === undefined ? { ...process.env, DOCKER_BUILDKIT: '0' } : process.env
  docker([...words, `${here}${service}`], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  console.log(image)
}

/** An image of this machine's Node and the libraries that it loads; nothing else is in it, not even a shell. */
function importBase() {
  if (spawnSync('docker', ['image', 'inspect', OWN_BASE], { stdio: 'ignore' }).status === 0) return OWN_BASE
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/[^ ]+/g) ?? []
  const paths = [process.execPath, ...libraries].map((path) => path.slice(1))
  const rename = `s,^${process.execPath.slice(1)}$,usr/local/bin/node,`
  const tar = execFileSync('tar', ['--create', '--dereference', '--transform', rename, '-C', '/', ...paths], {
    maxBuffer: 1024 ** 3,
  })
  docker(['import', '-', OWN_BASE], { input: tar, stdio: ['pipe', 'ignore', 'inherit'] })
  return OWN_BASE
}

function docker(words, options) {
  const { status, error, stderr } = spawnSync('docker', words, { stdio: 'inherit', ...options })
  if (status === 0) return
  console.error(`docker ${words.join(' ')} failed: ${error?.message ?? stderr ?? `code ${status}`}`)
  process.exit(1)
}
