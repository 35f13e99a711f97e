import { defineConfig } from 'vitest/config'

// unit: pure and quick. live: real processes, sockets and kill -9. e2e: the CLI in a terminal and a browser.
const shared = { environment: 'node' as const, watch: false }

export default defineConfig({
  test: {
    reporters: ['default', './scripts/summing-reporter.ts'],
    projects: [
      { test: { ...shared, name: 'unit', include: ['src/**/*.test.ts', 'test/tidy/**/*.test.ts', 'scripts/**/*.test.ts'], exclude: ['**/*.live.test.ts'], testTimeout: 20_000 } },
      { test: { ...shared, name: 'live', include: ['src/**/*.live.test.ts', 'test/live/**/*.test.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 60_000 } },
      { test: { ...shared, name: 'e2e', include: ['test/e2e/**/*.test.ts'], fileParallelism: false, testTimeout: 180_000, hookTimeout: 60_000 } },
      { test: { ...shared, name: 'long', include: ['src/**/*.long.test.ts', 'test/long/**/*.test.ts'], fileParallelism: false, testTimeout: 600_000, hookTimeout: 60_000 } },
    ],
  },
})
