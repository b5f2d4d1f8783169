import type { Region } from './people-model.ts'
import type { Random } from './random.ts'

const HEADS =
  'Alderquist Brackenfell Cindermoor Dunnavale Emberlyn Fernhollow Galloway-Pike Harrowgate Inverloch Juniperfield Kestrelby Larkhaven Mirrowood Northwind Oakenshaw Pebblecroft Quillmark Ravenstoke Saltmarsh Tidewick Umberline Vantorra Willowmere Yarrowdale Zephyrine Ashgrove Birchwater Copperlane Driftholm Eastmere'.split(
    ' ',
  )
const TAILS =
  'Robotics Analytics Logistics Foods Health Textiles Software Energy Freight Insurance Media Instruments Optics Payments Retail Studios Materials Mobility Learning Ceramics'.split(
    ' ',
  )
const FIRST =
  'Ada Amir Anika Arlo Beatriz Bruno Carmen Cedric Chiara Dalia Diego Edith Elif Emeka Farah Felix Freya Gideon Greta Hana Hugo Imani Ines Ivo Jonas Juno Kaia Keiko Kofi Lars Leila Lena Luca Maeve Malik Marta Mei Milo Nadia Nils Noor Olga Omar Oscar Petra Priya Quentin Rafael Rhea Rosa Samir Selma Silas Tariq Tessa Tomas Una Viktor Wanda Yusuf Zara Zoe'.split(
    ' ',
  )
const LAST =
  'Abernathy Adeyemi Albrecht Bellweather Bergstrom Castellan Chaudhry Cromwick Dahlgren Delacroix Eklund Fairweather Ferreira Galbraith Grunwald Hargreave Hollis Ibarra Iwasaki Jankovic Kaplinsky Kimura Lindqvist Lockhart Mandelbaum Marchetti Mbeki Nakagawa Novotny Okafor Oyelaran Pemberton Petrov Quintero Rasmussen Rosenthal Sandoval Sokolov Sorensen Takahashi Thackeray Ullman Valverde Vandermeer Wadsworth Whitlock Yamamoto Zielinski'.split(
    ' ',
  )

/** Mailboxes that say nothing about an employer. */
export const FREE_MAIL = [
  'gmail.com',
  'outlook.com',
  'gmx.de',
  'yahoo.com',
  'hotmail.co.uk',
  'proton.me',
] as const
/** Mailboxes that are thrown away. */
export const DISPOSABLE_MAIL = ['mailinator.com', 'yopmail.com', 'guerrillamail.com'] as const

const SUFFIXES: readonly (readonly [string, number, Region])[] = [
  ['com', 58, 'us'],
  ['io', 14, 'us'],
  ['co.uk', 10, 'eu'],
  ['de', 10, 'eu'],
  ['com.au', 8, 'au'],
]

/** A company name with a domain that nobody has used so far; marks it as used. */
export function nameCompany(random: Random, used: Set<string>) {
  for (;;) {
    const name = `${random.pick(HEADS)} ${random.pick(TAILS)}`
    if (used.has(name)) continue
    used.add(name)
    const [suffix, , region] = random.weighted(SUFFIXES.map((entry) => [entry, entry[1]] as const))
    return { name, domain: `${name.toLowerCase().replace(/ /g, '-')}.${suffix}`, region }
  }
}

/** A person's name with a mailbox at `host` that nobody has; marks it as taken. */
export function namePerson(random: Random, host: string, taken: Set<string>, tag = '') {
  const first = random.pick(FIRST)
  const last = random.pick(LAST)
  const box = `${first}.${last}${tag}`.toLowerCase()
  let email = `${box}@${host}`
  for (let copy = 2; taken.has(email); copy++) email = `${box}${copy}@${host}`
  taken.add(email)
  return { name: `${first} ${last}`, email }
}

/** Roles as people state them at sign-up, with their frequency. */
export const ROLES: readonly (readonly [string, number])[] = [
  ['Data Analyst', 26],
  ['Marketing Manager', 16],
  ['Product Manager', 14],
  ['Software Engineer', 14],
  ['Operations Manager', 10],
  ['Head of Data', 7],
  ['Founder', 6],
  ['VP Marketing', 4],
  ['Consultant', 3],
]
