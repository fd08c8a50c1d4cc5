using System.Collections.Concurrent;
using System.Text;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using LoggingService.Rooms;

namespace LoggingService.Consent;

/// <summary>
/// Tells each logged room of which our user is a member, once, that it is logged: with a notice in the room and a note in its log, at the
/// first event since the start. Where our user may not speak, again after its power levels change.
/// </summary>
internal sealed partial class RoomNotices(
    LogDirectory logs, RoomFiles files, RoomWishes wishes, RoomNotes notes, RoomStates states, PendingRooms pending, ServiceUser user,
    HomeserverRooms rooms, LoggingServiceOptions options, TimeProvider time, ILogger<RoomNotices> logger) : BackgroundService
{
    /// <summary>The cause of the note, and the transaction id of the notice: each exists once in a room.</summary>
    private const string Cause = "com.loggingservice.notice";

    private readonly RetryQueue<string> _queue = new(roomId => roomId, time);

    /// <summary>The rooms that need no notice, or are queued: true; those where the homeserver refused it: false.</summary>
    private readonly ConcurrentDictionary<string, bool> _handled = new();

    /// <summary>The rooms whose records have no notice of an earlier process: they are read once.</summary>
    private readonly HashSet<string> _untold = [];

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        logs.Written += OnWritten;
        logs.Removed.IsMember = user.MayBeJoinedToFolder;
        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _queue.RunAsync(TryTellAsync, stoppingToken);

    private async Task<bool> TryTellAsync(string roomId, CancellationToken cancellation)
    {
        try
        {
            await EnsureToldAsync(roomId, cancellation);
            return true;
        }
        catch (HomeserverException e) when (!e.IsTransient)
        {
            _handled[roomId] = false;
            Log.NoticeRefused(logger, roomId, e.Message);
            return true;
        }
        catch (Exception e) when (e is HomeserverException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        var roomId = lines[0].Event.RoomId;
        if (!NoticeText.IsOn(options) || (_handled.TryGetValue(roomId, out var isDone) && (isDone || !lines.Any(ChangesPower))))
        {
            return;
        }

        if (user.IsJoinedTo(roomId) && IsLogged(roomId) && !pending.Contains(roomId) && wishes.Get(roomId).Notice != false)
        {
            _handled[roomId] = true;
            _queue.Add(roomId);
        }
    }

    private static bool ChangesPower(LoggedLine line) => line.Event is { Type: "m.room.power_levels", StateKey: "" };

    /// <summary>Not while the homeserver has not said so: the room may turn out to have no alias.</summary>
    private bool IsLogged(string roomId)
    {
        var state = states.Get(roomId);
        return state is { IsStopped: false } and ({ HasAlias: true } or { IsInRoomsNamespace: true });
    }

    private async Task EnsureToldAsync(string roomId, CancellationToken cancellation)
    {
        if (files.Get(roomId).NoticeTs is not null)
        {
            return;
        }

        var text = NoticeText.Create(options, user.Id!);
        string? failure = null;
        var told = _untold.Contains(roomId) ? null : await Task.Run(() => FindInRecords(roomId, text, ref failure), cancellation);
        if (told is null && failure is not null)
        {
            // It may have been told, and must not be told twice.
            Log.RecordNotRead(logger, roomId, failure);
            return;
        }

        if (told is null)
        {
            _untold.Add(roomId);
            await rooms.SendNoticeAsync(roomId, Cause, text, cancellation);
            Log.RoomTold(logger, roomId);
            if (IsLogged(roomId))
            {
                await notes.LogAsync(Note.Create(Note.NoticeSent, roomId, Cause));
            }
        }

        files.Update(roomId, file => file with { NoticeTs = told ?? time.GetUtcNow().ToUnixTimeMilliseconds() });
    }

    /// <summary>When the room got the notice, as its log says: by our note, or by a notice of our user with the same text.</summary>
    /// <param name="failure">Receives why a day can't be read; the others are read.</param>
    private long? FindInRecords(string roomId, string text, ref string? failure)
    {
        var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
        foreach (var day in DayFileName.In(folder).Where(name => name.IsRecord).Select(name => name.Day).Distinct().Order().ToList())
        {
            try
            {
                if (FindInRecord(Path.Combine(folder, DayFileName.Record(day).ToString()), roomId, text) is { } told)
                {
                    return told;
                }
            }
            catch (FileNotFoundException)
            {
                // It was removed meanwhile.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure ??= e.Message;
            }
        }

        return null;
    }

    private long? FindInRecord(string record, string roomId, string text)
    {
        var note = Note.Create(Note.NoticeSent, roomId, Cause).EventId;
        byte[][] needles = [Encoding.UTF8.GetBytes($"\"{note}\""), Encoding.UTF8.GetBytes($"\"{user.Id}\"")];
        foreach (var line in RecordReader.Lines(record))
        {
            if (needles.Any(needle => line.Bytes.Span.IndexOf(needle) >= 0)
                && RoomEvent.FromRecord(line.Bytes) is { } e
                && (e.IsNote ? e.EventId == note : e.Sender == user.Id && e.Content["body"u8].AsString() == text))
            {
                return e.ReceivedTs ?? 0;
            }
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomTold, LogLevel.Information, "Told {RoomId} by a notice that it is logged")]
        public static partial void RoomTold(ILogger logger, string roomId);

        [LoggerMessage(EventIds.NoticeRefused, LogLevel.Information,
            "Failed to tell {RoomId} that it is logged: {Reason}. Retrying after its power levels change, or at the next start.")]
        public static partial void NoticeRefused(ILogger logger, string roomId, string reason);

        [LoggerMessage(EventIds.NoticeRecordNotRead, LogLevel.Warning,
            "Failed to read whether {RoomId} got its notice: {Reason}. No notice is sent before the next start.")]
        public static partial void RecordNotRead(ILogger logger, string roomId, string reason);
    }
}
