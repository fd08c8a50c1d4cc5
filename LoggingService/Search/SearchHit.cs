using LoggingService.Files;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>An event that was found, by its place in the records.</summary>
/// <param name="Row">The position in the order of time: the next page continues before it.</param>
/// <param name="Folder">The name of its room's folder.</param>
/// <param name="Day">Of the record.</param>
/// <param name="Inode">Of the record's file when it was indexed.</param>
/// <param name="Place">Of its line in the record.</param>
/// <param name="Sender">The id of the user.</param>
internal sealed record SearchHit(long Row, string Folder, DateOnly Day, ulong Inode, LinePlace Place, string Sender, HitKinds Kinds)
{
    /// <summary>When it was sent, in whole seconds.</summary>
    public DateTimeOffset Time => RowTime.TimeOf(Row);

    /// <summary>Its place in the record does not tell when it was sent.</summary>
    public bool IsFetched => (Kinds & HitKinds.Fetched) != 0;
}

/// <summary>A page of what was found, newest first.</summary>
/// <param name="Count">How many there are in all, up to <see cref="SearchIndex.MaxCount"/>; 0 for a later page.</param>
/// <param name="HasMoreThanCount">There are more than the count.</param>
/// <param name="Next">Where the next page begins; <c>null</c> if there is none.</param>
/// <param name="IsComplete">Otherwise the search took too long, and not all of the index was searched.</param>
internal sealed record SearchResults(IReadOnlyList<SearchHit> Hits, int Count, bool HasMoreThanCount, long? Next, bool IsComplete)
{
    public static SearchResults None { get; } = new([], 0, HasMoreThanCount: false, Next: null, IsComplete: true);

    /// <summary>There is no index, or it can't be read: it is being built.</summary>
    public static SearchResults Unavailable { get; } = None with { IsAvailable = false, IsComplete = false };

    public bool IsAvailable { get; private init; } = true;
}

/// <summary>A room that a reader may see.</summary>
/// <param name="Folder">The name of its folder.</param>
/// <param name="Names">Its id and aliases, for <c>in:</c>.</param>
/// <param name="MaySee">Whether the reader may know that there is such an event; others are neither returned nor counted.</param>
internal sealed record SearchedRoom(string Folder, IReadOnlyList<string> Names, Predicate<SearchHit> MaySee)
{
    /// <summary>Rows tell the time of an event only about: where a second is full, later ones are used.</summary>
    private static readonly long Uncertainty = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;

    /// <summary>Whether the event is counted before it is read; those are not that may have been sent before a change.</summary>
    public Predicate<SearchHit> MayCount { get; init; } = _ => true;

    public static SearchedRoom Of(Reader reader, RoomVisibility room) => new(
        room.FolderName,
        [
            room.RoomId, .. room.CanonicalAlias is { } alias ? (string[])[alias] : [],
            .. room.Links, .. room.Links.Select(FolderName.ToLocalpart).OfType<string>(),
        ],
        hit => MayKnow(reader, room, hit, 0))
    {
        MayCount = hit => !hit.IsFetched || (MayKnow(reader, room, hit, -Uncertainty) && MayKnow(reader, room, hit, Uncertainty)),
    };

    private static bool MayKnow(Reader reader, RoomVisibility room, SearchHit hit, long shift) => room.MayKnow(
        reader, new(hit.Day, hit.Place.Line), hit.Time.ToUnixTimeMilliseconds() + shift, hit.IsFetched, hit.Sender);

    /// <summary>Whether a user may mean this room: by its id, or an alias, with or without <c>#</c> and server.</summary>
    public bool IsNamed(string name) => name == Folder || Names.Any(other =>
        string.Equals(other, name, StringComparison.OrdinalIgnoreCase)
        || string.Equals(Localpart(other), Localpart(name), StringComparison.OrdinalIgnoreCase));

    /// <summary>Without the server, which links do not have: a room is found by an alias of any server.</summary>
    private static string Localpart(string name) => name.StartsWith('!') ? name : name.TrimStart('#').Split(':')[0];
}
