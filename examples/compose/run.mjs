// The whole shop with one command: node run.mjs. `node run.mjs down` takes all of it away again.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const SLUICE = (process.env.SLUICE ?? 'npx sluice').split(' ')
const IMAGES = ['shop-web:1.0.0', 'shop-api:1.0.0', 'shop-jobs:1.0.0', 'shop-db:1.0.0']
const NETWORK = ['--subnet', '10.211.7.0/24', '--gateway', '10.211.7.1']
/** As Compose writes them, so that it takes the network for its own. */
const LABELS = ['com.docker.compose.project=shop', 'com.docker.compose.network=default'].flatMap((label) => [
  '--label',
  label,
])

function up() {
  if (!IMAGES.every((image) => succeeds('docker', ['image', 'inspect', image])))
    must(process.execPath, ['build.mjs'])
  startDatabase()
  sluice('up')
  // The page calls the API, so the API comes first.
  for (const service of ['api', 'jobs', 'web']) sluice('deploy', '1.0.0', '--service', service, '--yes')
  console.log('\nThe shop is on http://127.0.0.1:8090. Go on with: npx sluice deploy 1.1.0 --service web')
}

/** It stays with compose. Where there is no `docker compose`, the same by hand. */
function startDatabase() {
  if (succeeds('docker', ['compose', 'version']))
    return must('docker', ['compose', 'up', '--detach', '--no-build', 'db'])
  if (!succeeds('docker', ['network', 'inspect', 'shop_default']))
    must('docker', ['network', 'create', ...NETWORK, ...LABELS, 'shop_default'])
  if (succeeds('docker', ['container', 'inspect', 'shop-db-1'])) return must('docker', ['start', 'shop-db-1'])
  must('docker', [
    ...['run', '--detach', '--name', 'shop-db-1', '--restart', 'unless-stopped'],
    ...['--network', 'shop_default', '--network-alias', 'db', '--publish', '127.0.0.1:7001:7000'],
    ...['--volume', 'shop_stock:/data', 'shop-db:1.0.0'],
  ])
}

function down() {
  sluice('down', '--yes')
  if (succeeds('docker', ['compose', 'version'])) return must('docker', ['compose', 'down', '--volumes'])
  must('docker', ['rm', '--force', 'shop-db-1'])
  must('docker', ['network', 'rm', 'shop_default'])
  must('docker', ['volume', 'rm', 'shop_stock'])
}

const sluice = (...words) => must(SLUICE[0], [...SLUICE.slice(1), ...words])
const succeeds = (command, words) => spawnSync(command, words, { cwd: here, stdio: 'ignore' }).status === 0

function must(command, words) {
  const { status, error } = spawnSync(command, words, { cwd: here, stdio: 'inherit' })
  if (status === 0) return
  console.error(`${command} ${words.join(' ')} failed${error === undefined ? '' : `: ${error.message}`}`)
  process.exit(status ?? 1)
}

if (process.argv[2] === 'down') down()
else up()
