export interface PropertyOption {
  readonly label: string
  readonly value: string
  readonly description?: string
  readonly displayOrder: number
  readonly hidden: boolean
}

/** A property as the properties endpoints show it. */
export interface PropertyDefinition {
  readonly name: string
  readonly label: string
  readonly type: string
  readonly fieldType: string
  readonly description: string
  readonly groupName: string
  readonly options: readonly PropertyOption[]
  readonly displayOrder: number
  readonly calculated: boolean
  readonly externalOptions: boolean
  readonly archived: boolean
  readonly hasUniqueValue: boolean
  readonly hidden: boolean
  readonly hubspotDefined?: boolean
  readonly referencedObjectType?: string
  readonly modificationMetadata: {
    readonly archivable: boolean
    readonly readOnlyDefinition: boolean
    readonly readOnlyValue: boolean
  }
  readonly formField: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export interface PropertyGroup {
  readonly name: string
  readonly label: string
  readonly displayOrder: number
  readonly archived: boolean
}
