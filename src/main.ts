#!/usr/bin/env node
// This file must parse and run on old versions of Node: it says what to do there, and only then loads the rest.
const FLOOR = [22, 19] as const

const version = process.versions.node
const [major = 0, minor = 0] = version.split('.').map(Number)

if (major < FLOOR[0] || (major === FLOOR[0] && minor < FLOOR[1])) {
  process.stderr.write(
    `Sluice needs Node ${FLOOR.join('.')} or newer, this is ${version}.\n` +
      'Install Node 24 (https://nodejs.org/en/download, or your version manager: nvm install 24), then run the command again.\n',
  )
  process.exitCode = 2
} else {
  await dispatch(process.argv.slice(2))
}

/** One program file, five programs: the parts of Sluice start each other by the first argument. */
async function dispatch(argv: string[]): Promise<void> {
  const rest = argv.slice(1)
  switch (argv[0]) {
    case 'internal-controller':
      return (await import('./controller.ts')).runController(rest)
    case 'internal-proxy':
      return (await import('./proxy/main.ts')).runProxy(rest)
    case 'internal-proxy-worker':
      return (await import('./proxy/workers/worker.ts')).runProxyWorker(rest)
    case 'internal-agent':
      return (await import('./agent/main.ts')).runAgent(rest)
    default: {
      const { runCli } = await import('./cli/main.ts')
      const { processIo } = await import('./cli/process-io.ts')
      process.exitCode = await runCli(argv, processIo({ keeper, metrics, checker }))
    }
  }
}

/** Commands know no store; the ones that copy the state get at it here. */
async function keeper(stateFolder: string) {
  const { openStateKeeper } = await import('./controller/state-keeper.ts')
  return openStateKeeper(stateFolder, process.env)
}

type Place = { stateFolder: string; folder: string }

/** Nor do they know a provider of metrics. */
async function metrics({ stateFolder, folder }: Place) {
  const { openMetricTester } = await import('./controller/metric-tester.ts')
  return openMetricTester({ stateFolder, folder, env: process.env })
}

/** Nor how a check is made. */
async function checker({ stateFolder, folder }: Place) {
  const { openChecker } = await import('./controller/checker.ts')
  return openChecker({ stateFolder, folder, env: process.env })
}
