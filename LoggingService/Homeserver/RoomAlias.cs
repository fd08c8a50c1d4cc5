namespace LoggingService.Homeserver;

/// <summary>A room alias, <c>#localpart:server</c> (Matrix specification, appendices "Room Aliases").</summary>
/// <param name="Localpart">Any text without a colon.</param>
/// <param name="Server">The server name, with its port if it has one.</param>
internal readonly record struct RoomAlias(string Localpart, string Server)
{
    /// <summary>Takes an alias apart at its first colon.</summary>
    public static bool TryParse(string? text, out RoomAlias alias)
    {
        alias = default;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 2 || text![0] != '#' || colon == text.Length - 1)
        {
            return false;
        }

        alias = new(text[1..colon], text[(colon + 1)..]);
        return true;
    }

    /// <summary>The alias as it is written.</summary>
    public override string ToString() => $"#{Localpart}:{Server}";
}
