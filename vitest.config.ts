import { defineConfig } from 'vitest/config'

const faults = 'test/faults/**/*.test.ts'

export default defineConfig({
  // Examples import the package by its name: in tests that is the source, as it is for tsx.
  resolve: { tsconfigPaths: true },
  test: {
    environment: 'node',
    // The SDK's notice that it will leave Node 20 in 2027, at each start of a worker.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test that only passes after another one is a bug: the order is shuffled, the seed is printed.
    sequence: { shuffle: true },
    dangerouslyIgnoreUnhandledErrors: false,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: [faults],
          // Much of them is waiting: on two cores, three take less time than two.
          maxWorkers: 3,
          sequence: { shuffle: true, groupOrder: 0 },
          typecheck: {
            // In CI the compiler of `npm run lint` checks them, as everything else: once is enough there.
            enabled: process.env.CI === undefined,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [faults],
          // Each starts more processes than a small machine has cores.
          maxWorkers: 1,
          sequence: { shuffle: true, groupOrder: 1 },
        },
      },
    ],
  },
})
