using System.Text;

namespace LoggingService.Homeserver;

/// <summary>A room alias, <c>#localpart:server</c> (appendices "Room Aliases"). The server name includes its port, if any.</summary>
internal readonly record struct RoomAlias(string Localpart, string Server)
{
    private const int MaxBytes = 255;

    /// <summary>
    /// Whether a homeserver may accept the alias: Synapse refuses ASCII white space, and the specification limits the length.
    /// </summary>
    public bool CanExist =>
        Localpart.IndexOfAny([' ', '\t', '\n', '\v', '\f', '\r']) < 0 && Encoding.UTF8.GetByteCount(ToString()) <= MaxBytes;

    /// <summary>Splits an alias at its first colon.</summary>
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

    public override string ToString() => $"#{Localpart}:{Server}";
}
