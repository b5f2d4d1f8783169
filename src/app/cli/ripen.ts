#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import packageJson from '../../../package.json' with { type: 'json' }
import { tuneHeap } from '../../infra/heap.ts'
import { reportFailure } from './report-failure.ts'

tuneHeap()

// Commands are loaded below, when they are asked for: from the second start on without being compiled.
enableCompileCache()

const program = new Command('ripen')
  .description(packageJson.description)
  .version(packageJson.version)
  .showHelpAfterError('(ripen --help lists the commands)')
  .exitOverride()

const json = () => new Option('--json', 'print one JSON object instead of text')
const mappings = () => new Option('--mappings <dir>', 'publish the mappings of this folder first')
const folder = () =>
  new Option('--mappings <dir>', 'go by the mappings of this folder; publish nothing')

program
  .command('demo')
  .description('run the whole job on a sample company, against the sandbox')
  .addOption(json())
  .action(async (options) => (await import('./commands/demo.ts')).demoCommand(options))

program
  .command('serve')
  .description('serve the API; with --worker, work in the same process')
  .option('--worker', 'run the jobs in this process too')
  .option('--demo', 'go on with the data of the demo, its sandbox and a worker')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/serve.ts')).serveCommand(options))

program
  .command('worker')
  .description('run the jobs: pull, score and sync on a schedule')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/worker.ts')).workerCommand(options))

program
  .command('sandbox')
  .description('play HubSpot, Amplitude and Mixpanel on loopback')
  .option('--port <port>', 'port to listen on', '4010')
  .option('--dir <dir>', 'folder that keeps the records (default: sandbox in RIPEN_DATA_DIR)')
  .option(
    '--crm <name>',
    'play a Salesforce org besides, with the package of Ripen in it: salesforce',
  )
  .option('--seed', "fill an empty HubSpot with the sample company's contacts and companies")
  .addOption(json())
  .action(async (options) => (await import('./commands/sandbox.ts')).sandboxCommand(options))

program
  .command('pull')
  .description('pull usage into the lake, and join it into people and accounts')
  .option(
    '--source <name>',
    'only this source: amplitude, mixpanel, or one that sources/*.yaml declares',
  )
  .option('--files <path...>', 'read export files (or folders of them) instead of the API')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/pull.ts')).pullCommand(options))

program
  .command('traits')
  .description('load a file that says something of people or companies, as traits.yaml declares it')
  .requiredOption('--file <path>', 'the CSV file, plain or with .gz')
  .requiredOption('--as <name>', 'its name under files in traits.yaml')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/traits.ts')).traitsCommand(options))

program
  .command('score')
  .description('score people and accounts')
  .option('--as-of <instant>', 'score as of the start of a UTC day in the past')
  .option('--known-at <instant>', 'use only events that had arrived by then; goes with --as-of')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/score.ts')).scoreCommand(options))

program
  .command('sync')
  .description('write what changed into a CRM')
  .requiredOption('--crm <name>', 'the CRM: hubspot or salesforce')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/sync.ts')).syncCommand(options))

program
  .command('diff')
  .description(
    'say what a sync would write: each record, each property, old and new; writes nothing',
  )
  .requiredOption('--crm <name>', 'the CRM: hubspot or salesforce')
  .option('--sample <n>', 'look at so many records of each object, spread over all of them')
  .option('--person <email>', 'look at one person and her account')
  .addOption(folder())
  .addOption(json())
  .action(async (options) => (await import('./commands/diff.ts')).diffCommand(options))

program
  .command('test')
  .description('take one person through the whole path and show each step; writes nothing')
  .argument('<email>')
  .option('--crm <name>', 'only this CRM: hubspot or salesforce')
  .addOption(json())
  .action(async (email, options) =>
    (await import('./commands/test.ts')).testCommand(email, options),
  )

program
  .command('connect')
  .description('let Ripen into a CRM by logging in there (OAuth); the tokens are stored encrypted')
  .requiredOption('--crm <name>', 'the CRM: hubspot or salesforce')
  .option('--port <port>', 'port of loopback that the browser comes back to', '4020')
  .option('--paste', 'do not listen: paste the address that the browser ends at')
  .addOption(folder())
  .addOption(json())
  .action(async (options) => (await import('./commands/connect.ts')).connectCommand(options))

program
  .command('disconnect')
  .description('remove the stored tokens of a CRM')
  .requiredOption('--crm <name>', 'the CRM: hubspot or salesforce')
  .addOption(json())
  .action(async (options) => (await import('./commands/disconnect.ts')).disconnectCommand(options))

program
  .command('check')
  .description('say whether the mapping files are right, and whether a CRM lets them do their work')
  .option('--crm <name>', 'hold them against this CRM too: hubspot or salesforce')
  .addOption(folder())
  .addOption(json())
  .action(async (options) => (await import('./commands/check.ts')).checkCommand(options))

program
  .command('provision')
  .description('create the group, properties and options that the mapping needs in a CRM')
  .requiredOption('--crm <name>', 'the CRM: hubspot or salesforce')
  .option('--dry-run', 'change nothing, and say what would be done')
  .addOption(folder())
  .addOption(json())
  .action(async (options) => (await import('./commands/provision.ts')).provisionCommand(options))

program
  .command('events')
  .description('list the events that the sources really contain, and what usage.yaml makes of them')
  .addOption(mappings())
  .addOption(json())
  .action(async (options) => (await import('./commands/events.ts')).eventsCommand(options))

program
  .command('schema')
  .description('print the JSON Schema of a kind of mapping file; without a name, list the kinds')
  .argument('[kind]')
  .option('--out <dir>', 'write them into this folder, for an editor')
  .addOption(json())
  .action(async (kind, options) =>
    (await import('./commands/schema.ts')).schemaCommand(kind, options),
  )

program
  .command('apply')
  .description('check a mapping folder and publish it as a new version')
  .option('--mappings <dir>', 'the folder')
  .option('--note <text>', 'what the change is for')
  .addOption(json())
  .action(async (options) => (await import('./commands/apply.ts')).applyCommand(options))

program
  .command('versions')
  .description('list the published versions of the mappings; with one or two of them, what differs')
  .argument('[from]')
  .argument('[to]', 'the newest when left out')
  .addOption(json())
  .action(async (from, to, options) =>
    (await import('./commands/versions.ts')).versionsCommand(from, to, options),
  )

program
  .command('rollback')
  .description('publish the files of an older version again; the one before when left out')
  .argument('[version]')
  .option('--note <text>', 'why')
  .addOption(json())
  .action(async (version, options) =>
    (await import('./commands/rollback.ts')).rollbackCommand(version, options),
  )

program
  .command('explain')
  .description('say who somebody is and why the score is what it is')
  .argument('<email|domain>')
  .addOption(json())
  .action(async (who, options) =>
    (await import('./commands/explain.ts')).explainCommand(who, options),
  )

program
  .command('forget')
  .description('remove a person from everything that is stored, and keep her out of later pulls')
  .argument('<email>')
  .option('--yes', 'do not ask whether it is meant')
  .addOption(json())
  .action(async (email, options) =>
    (await import('./commands/forget.ts')).forgetCommand(email, options),
  )

program
  .command('identity')
  .description('list the ids that join nobody, and who is kept apart')
  .addOption(json())
  .action(async (options) => (await import('./commands/identity.ts')).identityCommand(options))

program
  .command('alerts')
  .description('list what is watched and how it stands, and where it is told')
  .option('--test', 'send a message to each channel')
  .addOption(json())
  .action(async (options) => (await import('./commands/alerts.ts')).alertsCommand(options))

program
  .command('parked')
  .description(
    'list records and properties that wait for a person, with the reason; or try them again',
  )
  .option('--crm <name>', 'only this CRM: hubspot or salesforce')
  .option('--retry', 'give all of them another try with the next sync')
  .addOption(json())
  .action(async (options) => (await import('./commands/parked.ts')).parkedCommand(options))

program
  .command('status')
  .description('say what was pulled, scored and written, and what waits')
  .addOption(json())
  .action(async (options) => (await import('./commands/status.ts')).statusCommand(options))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else {
    reportFailure(error)
  }
}
