using LoggingService.Files;

namespace LoggingService.Visibility;

/// <summary>The ids of the events, users and rooms that an admin hid from all readers.</summary>
internal sealed record HiddenIds(IReadOnlySet<string> Events, IReadOnlySet<string> Users, IReadOnlySet<string> Rooms)
{
    public static HiddenIds None { get; } = new(new HashSet<string>(), new HashSet<string>(), new HashSet<string>());

    /// <summary>The names of the folders of the rooms.</summary>
    public IReadOnlySet<string> Folders { get; } = Rooms.Select(FolderName.ForRoom).ToHashSet();

    private readonly HashSet<IdHash> _hashes = [.. Events.Select(IdHash.Of)];

    /// <summary>Whether an event is hidden itself.</summary>
    public bool HasEvent(IdHash e) => _hashes.Contains(e);

    /// <summary>An event of a hidden user, or one that names such a user.</summary>
    public bool Hides(RoomEvent e) => Events.Contains(e.EventId)
        || HasUser(e.Sender)
        || (e.Type == "m.room.member" && HasUser(e.StateKey))
        || (e.IsNote && (HasUser(e.Content["sender"u8].AsString()) || HasUser(e.Content["by"u8].AsString())));

    public bool HasUser(string? userId) => userId is not null && Users.Contains(userId);
}
