using System.Collections.Immutable;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>That a line removed an event.</summary>
internal readonly record struct Removal(IdHash Target, int Line, StubReason Reason);

/// <summary>That a line removed all earlier events of a user.</summary>
internal readonly record struct RemovalOfUser(IdHash User, int Line, UserRemoval Removal);

/// <summary>A user's display name from a line on; <c>null</c> if they have none.</summary>
internal readonly record struct MemberName(IdHash User, IdHash Event, string? Name, int Line);

/// <summary>State of a room as of a line: its name, its topic, its alias, or whether its moderators want it to be shown.</summary>
/// <param name="RobotsTime">Of the last one: <see cref="KeptVisibility.RobotsTime"/>.</param>
internal readonly record struct RoomState(
    LogPosition Position, string Type, string EventId, string? Sender, string? Value, bool IsFetched, long RobotsTime)
{
    /// <summary>
    /// Of each type the newest state that was pushed counts, or else the last that was fetched. Whether moderators want the room to be
    /// shown counts also if it was fetched, unless it is older.
    /// </summary>
    public static Dictionary<string, RoomState> InForce(IEnumerable<DayFacts> days)
    {
        var states = new Dictionary<string, RoomState>();
        foreach (var state in days.SelectMany(day => day.States))
        {
            if (!state.IsFetched || !states.TryGetValue(state.Type, out var before) || state.Replaces(before))
            {
                states[state.Type] = state;
            }
        }

        return states;
    }

    /// <summary>
    /// Whether what <c>room.json</c> has of a day that was removed replaces a fetched wish of the moderators. Without a time, or where the
    /// file can't be read, it may be a newer refusal.
    /// </summary>
    public bool IsReplacedBy(RoomFile? file) => IsFetched
        && (file is null || file.RobotsTs > RobotsTime || (file.IsRefused && !(file.RobotsTs < RobotsTime)));

    private bool Replaces(RoomState before) => Type == RoomVisibility.RobotsType
        ? RobotsTime > before.RobotsTime || (RobotsTime == before.RobotsTime && Value == RoomVisibility.RobotsRefused)
        : before.IsFetched;
}

/// <summary>That a line is an edit, a reaction, a vote, or the end of a poll: it belongs to an event of this or an earlier day.</summary>
/// <param name="Target">The hash of the event's id.</param>
[StructLayout(LayoutKind.Sequential, Pack = sizeof(int))]
internal readonly record struct RelatedLine(int Line, ulong Target)
{
    public static ulong HashOf(string eventId) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(eventId));
}

/// <summary>
/// What one day's record tells about what a reader may see of the room. Lines that were appended later are added. The facts of all days of
/// all rooms are in memory: ids are hashes.
/// </summary>
internal sealed record DayFacts
{
    public required DateOnly Day { get; init; }

    /// <summary>The file that was read.</summary>
    public required RecordStamp Stamp { get; init; }

    /// <summary>Bytes of the whole lines that were read.</summary>
    public long Length { get; init; }

    /// <summary>The lines that were read.</summary>
    public int Lines { get; init; }

    /// <summary>When the last of them was received, in milliseconds since 1970.</summary>
    public long LastReceivedAt { get; init; }

    /// <summary><c>null</c> if no line had to be parsed.</summary>
    public string? RoomId { get; init; }

    public ImmutableArray<VisibilityChange> Changes { get; init; } = [];

    public ImmutableArray<Removal> Removals { get; init; } = [];

    public ImmutableArray<RemovalOfUser> RemovalsOfUsers { get; init; } = [];

    public ImmutableArray<MemberName> Names { get; init; } = [];

    public ImmutableArray<RoomState> States { get; init; } = [];

    public ImmutableArray<RelatedLine> Related { get; init; } = [];

    /// <summary>Changes with each line that may change how lines of other days look. The same in another process.</summary>
    public ulong Digest { get; init; }

    /// <summary>The lines, in order, that no reader sees: soft-failed events, and those that a policy server calls spam.</summary>
    public ImmutableArray<int> Withheld { get; init; } = [];

    /// <summary>How many events were fetched, and the times of the first and the last one.</summary>
    public int Fetched { get; init; }

    public long FetchedFrom { get; init; } = long.MaxValue;

    public long FetchedTo { get; init; } = long.MinValue;
}
