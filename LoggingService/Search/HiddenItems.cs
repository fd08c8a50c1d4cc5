using System.Text;

namespace LoggingService.Search;

/// <summary>What is hidden from all readers, by event ids, user ids and the names of rooms' folders.</summary>
internal sealed record HiddenItems(IReadOnlySet<string> Events, IReadOnlySet<string> Users, IReadOnlySet<string> Rooms)
{
    public static HiddenItems None { get; } = new(new HashSet<string>(), new HashSet<string>(), new HashSet<string>());

    /// <summary>The ids of events and users.</summary>
    public IEnumerable<string> Ids => Events.Concat(Users);

    public bool Hides(RoomEvent e) => Events.Contains(e.EventId) || (e.Sender is { } sender && Users.Contains(sender));

    /// <summary>Whether a line of a record may be about one of some ids.</summary>
    public static bool IsIn(ReadOnlySpan<byte> line, IReadOnlyList<byte[]> ids)
    {
        foreach (var id in ids)
        {
            if (line.IndexOf(id) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>As <see cref="IsIn"/> expects them.</summary>
    public static IReadOnlyList<byte[]> ToBytes(IEnumerable<string> ids) => [.. ids.Select(Encoding.UTF8.GetBytes)];
}
