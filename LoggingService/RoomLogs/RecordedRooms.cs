using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Http;
using LoggingService.Rendering;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>
/// Connects the logs with what decides about them: passes logged events on to the checks of aliases, and, at a start, what the records of
/// rooms without a link say; journals notes; tells which room is logged without an alias.
/// </summary>
internal sealed partial class RecordedRooms(
    LogDirectory logs, RoomNotes notes, StoppedRooms stopped, RoomStates states, RoomAliases aliases, AliasChecks checks, AliasLinks links,
    RoomUpgrades upgrades, UpgradeLinks upgradeLinks, EncryptionNotice encryption, FirstStates firstStates, ServiceUser user,
    IHostApplicationLifetime lifetime, ILogger<RecordedRooms> logger) : BackgroundService
{
    /// <summary>How much of the records is searched for the name of a room, for a message.</summary>
    private const long MaxNameBytes = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _withoutAlias = [];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        notes.Append = note => logs.AppendAsync([note], [], "");
        checks.Checked = stopped.ApplyAsync;
        upgrades.Link = upgradeLinks.Link;
        aliases.Moved += (_, former, roomId) => upgrades.FollowAlias(former, roomId);
        logs.Written += OnWritten;
        checks.Completed += OnChecked;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await lifetime.WhenStartedAsync(stoppingToken);

        // After a crash the newest events are in the journal.
        await logs.CaughtUpAsync().WaitAsync(stoppingToken);
        try
        {
            foreach (var (roomId, hints) in RoomRecords.FindUnlinked(logs.Root))
            {
                stoppingToken.ThrowIfCancellationRequested();
                checks.Schedule(roomId, hints);
            }

            // Links may have gone wrong while the service was down.
            var userId = await user.Identified.WaitAsync(stoppingToken);
            var linked = links.TakeOver(ServiceUser.ServerOf(userId));
            foreach (var tombstone in upgradeLinks.FindPending())
            {
                upgrades.Follow(tombstone);
            }

            foreach (var roomId in linked)
            {
                checks.Schedule(roomId, []);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The writer reports what is wrong with the directory.
        }
    }

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        if (lines.Count > 0)
        {
            firstStates.ReceiveLogged(lines[0].Event.RoomId);
        }

        // They are of one room, and only state concerns aliases and names.
        int? newestName = null;
        for (var i = 0; i < lines.Count; i++)
        {
            var e = lines[i].Event;
            if (e.IsNote)
            {
                LogNote(e);
            }
            else if (i == 0 || e.StateKey is not null)
            {
                checks.Enqueue(e);
                newestName = e is { Type: "m.room.name", StateKey: "", FetchedTs: null } ? i : newestName;
            }
        }

        if (newestName is { } index && !IsRemoved(lines, index))
        {
            LogName(lines[index].Event);
        }
    }

    /// <summary>Whether the record has a removal of the event, as far as its own line and those after it tell.</summary>
    private static bool IsRemoved(IReadOnlyList<LoggedLine> lines, int index) =>
        RoomStateLine.IsRemoved(lines[index].Line.Span)
        || lines.Skip(index + 1).Any(later => RoomRecords.IsRemovedBy(lines[index].Event, later.Event));

    private void LogNote(RoomEvent note)
    {
        var room = aliases.GetAlias(note.RoomId)?.ToString() ?? note.RoomId;
        if (note.Type == Note.LoggingStopped)
        {
            Log.LoggingStopped(logger, room);
        }
        else if (note.Type == Note.LoggingResumed)
        {
            Log.LoggingResumed(logger, room);
        }
        else if (note.Type == Note.EncryptionEnabled)
        {
            Log.RoomEncrypted(logger, room);
            encryption.Send(note);
        }
        else if (note.Type == Note.ServiceRemoved)
        {
            Log.ServiceRemoved(logger, room);
        }
    }

    private void LogName(RoomEvent e)
    {
        // A room that we created is named after its alias.
        var name = e.Content["name"u8].AsString();
        if (!string.IsNullOrEmpty(name) && !IsNamedAfter(name, aliases.GetAlias(e.RoomId)))
        {
            Log.RoomNamed(logger, aliases.GetAlias(e.RoomId)?.ToString() ?? e.RoomId, Quote(name));
        }
    }

    private static bool IsNamedAfter(string name, RoomAlias? alias) => alias is { } known && name == NoticeText.NameRoom(known.Localpart);

    /// <summary>Tells once where a room without a link is logged: nothing else names it.</summary>
    private void OnChecked(string roomId)
    {
        lock (_lock)
        {
            if (aliases.GetAlias(roomId) is not null || !states.Get(roomId).IsLogged || !_withoutAlias.Add(roomId))
            {
                return;
            }
        }

        var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
        var name = RoomRecords.FindName(folder, MaxNameBytes);
        Log.RoomWithoutAlias(logger, string.IsNullOrEmpty(name) ? roomId : Quote(name), folder);
    }

    private static string Quote(string name) => SafeText.Quoted(Utf8Text.From(name)).ToString();

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomNamed, LogLevel.Information, "Room {Room} is named {Name}")]
        public static partial void RoomNamed(ILogger logger, string room, string name);

        [LoggerMessage(EventIds.LoggingStopped, LogLevel.Information, "Stopped logging {Room}: its last alias is gone")]
        public static partial void LoggingStopped(ILogger logger, string room);

        [LoggerMessage(EventIds.LoggingResumed, LogLevel.Information, "Resumed logging {Room}: it has an alias again")]
        public static partial void LoggingResumed(ILogger logger, string room);

        [LoggerMessage(EventIds.RoomEncrypted, LogLevel.Warning,
            "Encryption was switched on in {Room}: the text of its messages cannot be logged any more")]
        public static partial void RoomEncrypted(ILogger logger, string room);

        [LoggerMessage(EventIds.ServiceRemoved, LogLevel.Warning,
            "The service was kicked or banned from {Room}: the room is logged while it has a logged alias")]
        public static partial void ServiceRemoved(ILogger logger, string room);

        [LoggerMessage(EventIds.RoomWithoutAlias, LogLevel.Information,
            "The log of {Room} is in {Folder}; the homeserver did not tell its alias")]
        public static partial void RoomWithoutAlias(ILogger logger, string room, string folder);
    }
}
