namespace LoraFhe.Cryptography.Client;

/// <summary>What a group's key is for. No key serves two purposes.</summary>
internal enum KeyPurpose : byte
{
    /// <summary>The group's one-time secret s.</summary>
    Secret = 1,

    /// <summary>The group's errors e.</summary>
    Error = 2,

    /// <summary>The call's token weights of the check; its group is 0.</summary>
    Check = 3,
}
