/** @type {import('jest').Config} */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript' },
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/data/'],
  clearMocks: true,
  restoreMocks: true,
}

/** Projects whose tests need a PostgreSQL: an embedded one for the run, or yours (test:services). */
const stateful = {
  ...base,
  globalSetup: '<rootDir>/test/support/jest-setup.js',
  globalTeardown: '<rootDir>/test/support/jest-teardown.js',
}

/** @type {import('jest').Config} */
export default {
  coverageProvider: 'v8',
  maxWorkers: 2,
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/support/tally-reporter.js'],
  collectCoverageFrom: ['{src,connectors,jobs}/**/*.ts'],
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/test/unit/**/*.test.ts'] },
    {
      ...base,
      displayName: 'contract',
      testMatch: ['<rootDir>/test/contract/**/*.test.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/no-network.ts'],
    },
    {
      ...stateful,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
    },
    { ...stateful, displayName: 'faults', testMatch: ['<rootDir>/test/faults/**/*.test.ts'] },
    { ...stateful, displayName: 'soak', testMatch: ['<rootDir>/test/soak/**/*.test.ts'] },
  ],
}
