using System.Collections.Concurrent;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using LoggingService.Rooms;

namespace LoggingService.Consent;

/// <summary>
/// The wishes of rooms about their logs, which members who may set the topic send as a state event (<see cref="RoomWish.EventType"/>). They
/// are in effect within seconds after the event was logged, with a note.
/// </summary>
internal sealed partial class RoomWishes(
    PendingWishes pending, RoomFiles files, RoomNotes notes, RoomPower power, LoggingServiceOptions options, ILogger<RoomWishes> logger)
    : BackgroundService
{
    private readonly ConcurrentDictionary<string, (RoomFile File, string MaySet, RoomWish Wish)> _wishes = new();

    /// <summary>The wishes of a room that are in effect.</summary>
    public RoomWish Get(string roomId)
    {
        var maySet = options.RoomMaySet;
        if (files.Find(roomId) is not { } file)
        {
            // Until the file can be read.
            return RoomWish.Read(default, maySet);
        }

        // An erasure replaces the file, too.
        if (_wishes.TryGetValue(roomId, out var known) && ReferenceEquals(known.File, file) && known.MaySet == maySet)
        {
            return known.Wish;
        }

        var wish = RoomWish.Read(file.Wishes, maySet);
        _wishes[roomId] = (file, maySet, wish);
        return wish;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => pending.RunAsync(TryApplyAsync, stoppingToken);

    /// <returns>False if the homeserver can't be asked, <c>room.json</c> not be read or written, or the journal not be written.</returns>
    private async Task<bool> TryApplyAsync(RoomEvent e, CancellationToken cancellation)
    {
        try
        {
            if (e.FetchedTs is not null && files.Get(e.RoomId).WishesTs > e.OriginServerTs)
            {
                return true;
            }

            if (!await power.MaySetTopicAsync(e.RoomId, e.Sender ?? "", cancellation))
            {
                Log.WishesRefused(logger, e.RoomId, e.Sender);
                await notes.LogAsync(Note.Create(Note.WishesRefused, e.RoomId, e.EventId, json => json.WriteString("sender", e.Sender)));
                return true;
            }

            var wishes = RoomWish.ReadAll(e.Content).ToJson();
            files.Update(e.RoomId, file => file with { Wishes = wishes, WishesTs = e.OriginServerTs });
            var wish = Get(e.RoomId);
            Log.WishesApplied(logger, e.RoomId, e.Sender);
            await notes.LogAsync(Note.Create(Note.WishesChanged, e.RoomId, e.EventId, json =>
            {
                json.WriteString("sender", e.Sender);
                wish.Write(json);
            }));
            return true;
        }
        catch (Exception failure) when (failure is HomeserverException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
        catch (ArgumentException)
        {
            // A value that is not valid Unicode.
            Log.WishesRefused(logger, e.RoomId, e.Sender);
            return true;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.WishesApplied, LogLevel.Information, "{Sender} set how {RoomId} is logged")]
        public static partial void WishesApplied(ILogger logger, string roomId, string? sender);

        [LoggerMessage(EventIds.WishesRefused, LogLevel.Information,
            "Refused the wishes of {Sender} about the log of {RoomId}: the user may not set the topic, or the power levels are not known")]
        public static partial void WishesRefused(ILogger logger, string roomId, string? sender);
    }
}
