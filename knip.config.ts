import type { KnipConfig } from 'knip'

// Everything that nothing reaches from these entries is dead: files, exports, dependencies.
const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        'src/main.ts',
        'src/analysis.ts',
        'src/testkit/index.ts',
        'src/testkit/load/main.ts',
        'src/adapters/metrics/sql/read-sqlite.ts',
        'scripts/*.ts',
        'scripts/*/main.ts',
        'bench/**/*.ts',
        '{src,test,scripts}/**/*.test.ts',
      ],
      project: ['src/**/*.ts', 'scripts/**/*.{ts,mjs}', 'bench/**/*.ts', 'test/**/*.ts'],
    },
    web: { entry: ['src/**/*.test.{ts,tsx}'], project: ['src/**/*.{ts,tsx}'] },
    tools: { project: ['bin/**/*.ts'] },
  },
  // A schema and its type share one name, so one of the two is often used in its own file only.
  ignoreExportsUsedInFile: true,
  // Programs of the system (scripts/testbed names those that tests need).
  ignoreBinaries: ['openssl', 'apt-get', 'chrt', 'taskset', 'mount', 'umount', 'ip', 'ldd'],
  // Laid over the example shop by the test, beside the file that it imports.
  ignoreUnresolved: ['./provider.js'],
  // The bench runs it from a text that it gives to a process of its own.
  ignoreDependencies: ['httpxy'],
}

export default config
