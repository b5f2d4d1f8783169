import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { canEnter } from '../../src/infra/postgres/embedded/run-as.ts'
import { copyCheckout } from '../support/embedded-checkout.ts'
import {
  cleanUp,
  clusterOf,
  dropTemplate,
  makeFolder,
  makeUsedFolder,
  serverPid,
  startGuest,
} from '../support/embedded-processes.ts'

const nobody = 65_534
const isRoot = process.geteuid?.() === 0
const reachable =
  isRoot && (await canEnter(join(import.meta.dirname, '..'), { uid: nobody, gid: nobody }))
const whyNot = isRoot ? '' : ' (skipped: only root can play other accounts)'
const whyNotOrdinary = reachable ? '' : ' (skipped: needs root, and a checkout open to nobody)'
const asRoot = isRoot ? it : it.skip
const asNobody = reachable ? it : it.skip

/** The copy of the programs that root makes for an account that cannot enter the checkout. */
const rootPlace = '/var/lib/ripen'
let placeWasThere = false

beforeAll(async () => {
  placeWasThere = await stat(rootPlace).then(
    () => true,
    () => false,
  )
})

afterEach(async () => {
  await cleanUp()
  if (isRoot && !placeWasThere) await rm(rootPlace, { recursive: true, force: true })
})

afterAll(dropTemplate)

describe('accounts', () => {
  asRoot(`root runs the server as somebody else, in its own folder${whyNot}`, async () => {
    const dataDir = await makeFolder()
    const guest = startGuest(dataDir)
    await guest.ready
    const status = await readFile(`/proc/${await serverPid(dataDir)}/status`, 'utf8')
    expect(status).not.toMatch(/^Uid:\s+0/m)
    expect(guest.notices).toEqual([])
    expect((await stat(join(dataDir, 'pg'))).mode & 0o777).toBe(0o700)
    expect((await stat(join(dataDir, 'pg', 'ripen-password'))).mode & 0o777).toBe(0o600)
    expect(await guest.leave()).toBe(0)
  })

  asRoot(`root's checkout, closed to all others, works and keeps its data${whyNot}`, async () => {
    const home = await makeFolder('closed')
    await chmod(home, 0o700)
    await copyCheckout(join(home, 'checkout'))
    const dataDir = join(home, 'data')
    const [one, two] = ['one', 'two'].map((label) => {
      return startGuest(dataDir, { label, checkout: join(home, 'checkout') })
    })
    await Promise.all([one?.ready, two?.ready])
    expect([...(one?.notices ?? []), ...(two?.notices ?? [])]).toEqual([
      expect.stringContaining(await clusterOf(dataDir)),
    ])
    expect([await one?.leave(), await two?.leave()]).toEqual([0, 0])
    expect(await serverPid(dataDir)).toBeUndefined()

    const again = startGuest(dataDir, { label: 'again', checkout: join(home, 'checkout') })
    expect((await again.ready).labels).toEqual(['again', 'one', 'two'])
    expect(again.notices).toEqual([])
    await again.leave()

    const cluster = await clusterOf(dataDir)
    const { mode, uid } = await stat(cluster)
    expect([mode & 0o777, uid === 0]).toEqual([0o700, false])
    await rm(dataDir, { recursive: true })
    const fresh = startGuest(dataDir, { label: 'fresh', checkout: join(home, 'checkout') })
    expect((await fresh.ready).labels).toEqual(['fresh'])
    await fresh.leave()
    await rm(cluster, { recursive: true })
  })

  asNobody(`an ordinary user needs nothing but a folder${whyNotOrdinary}`, async () => {
    const dataDir = await makeFolder()
    await chown(dataDir, nobody, nobody)
    await chmod(dataDir, 0o700)
    const guest = startGuest(dataDir, { uid: nobody })
    await guest.ready
    expect(await guest.leave()).toBe(0)
    expect(await serverPid(dataDir)).toBeUndefined()
  })

  asNobody(
    `packages that are read-only and not linked yet are copied${whyNotOrdinary}`,
    async () => {
      const home = await makeFolder('read only')
      await copyCheckout(join(home, 'checkout'))
      const dataDir = join(home, 'data')
      await mkdir(dataDir)
      await chown(dataDir, nobody, nobody)
      const options = { uid: nobody, checkout: join(home, 'checkout') }
      const guests = ['a', 'b'].map((label) => startGuest(dataDir, { ...options, label }))
      await Promise.all(guests.map((guest) => guest.ready))
      expect(await Promise.all(guests.map((guest) => guest.leave()))).toEqual([0, 0])
      const copies = (await readdir(dataDir)).filter((name) => name.startsWith('postgres-'))
      expect(copies).toHaveLength(1)
    },
  )

  asNobody(`a folder of another user is refused with the reason${whyNotOrdinary}`, async () => {
    const dataDir = await makeUsedFolder()
    await chown(join(dataDir, 'pg'), 0, 0)
    const stranger = startGuest(dataDir, { uid: nobody })
    await expect(stranger.ready).rejects.toThrow(/cannot use .*permission denied/s)
    const root = startGuest(dataDir)
    await expect(root.ready).rejects.toThrow(/belongs to root.*chown/s)
  })
})
