#!/usr/bin/env node
// The development entry: `npx sluice` in a clone runs the sources directly, without a build.
await import('../../src/main.ts')
