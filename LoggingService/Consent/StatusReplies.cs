using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.RoomLogs;
using LoggingService.Rooms;

namespace LoggingService.Consent;

/// <summary>Answers the message <c>!log status</c> by a notice, where our user is a member; at most once a minute in a room.</summary>
internal sealed partial class StatusReplies(
    LogDirectory logs, RoomFiles files, RoomWishes wishes, ServiceUser user, HomeserverRooms rooms, LoggingServiceOptions options,
    TimeProvider time, ILogger<StatusReplies> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Older questions are those of a replay or a backlog.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    private readonly Channel<RoomEvent> _queue =
        Channel.CreateBounded<RoomEvent>(new BoundedChannelOptions(100) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly ConcurrentDictionary<string, long> _answered = new();

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        logs.Written += OnWritten;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var question in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                var id = Convert.ToHexStringLower(XxHash128.Hash(MemoryMarshal.AsBytes(question.EventId.AsSpan())));
                var text = await Task.Run(() => Describe(question.RoomId), stoppingToken);
                await rooms.SendNoticeAsync(question.RoomId, $"com.loggingservice.status.{id}", text, stoppingToken);
            }
            catch (Exception e) when (e is HomeserverException or IOException or UnauthorizedAccessException)
            {
                Log.StatusNotSent(logger, question.RoomId, e.Message);
            }
        }
    }

    private void OnWritten(IReadOnlyList<LoggedLine> lines)
    {
        foreach (var (e, _) in lines)
        {
            if (IsQuestion(e) && user.IsJoinedTo(e.RoomId) && TryAcquire(e.RoomId))
            {
                _queue.Writer.TryWrite(e.Copy());
            }
        }
    }

    private bool IsQuestion(RoomEvent e) =>
        e is { IsNote: false, FetchedTs: null, StateKeyText: null, Type: "m.room.message" }
        && e.Content["body"u8].IsString("!log status"u8)
        && !e.Content["msgtype"u8].IsString("m.notice"u8)
        && time.GetUtcNow().ToUnixTimeMilliseconds() - (e.ReceivedTs ?? 0) < MaxAge.TotalMilliseconds;

    private bool TryAcquire(string roomId)
    {
        var now = time.GetTimestamp();
        if (_answered.TryGetValue(roomId, out var last) && time.GetElapsedTime(last, now) < Interval)
        {
            return false;
        }

        _answered[roomId] = now;
        return true;
    }

    private string Describe(string roomId)
    {
        var folder = Path.Combine(logs.Root, FolderName.ForRoom(roomId));
        var since = DayFileName.In(folder).Where(file => file.IsRecord).Min(file => (DateOnly?)file.Day);
        var wish = wishes.Get(roomId);
        var isByRoom = options.HonourRoomRetention == "on";
        var days = RoomRetention.DaysKept(isByRoom ? files.Get(roomId).MaxLifetime ?? 0 : 0, options);
        string?[] set = [options.NoLogPrefix, wish.NoLogPrefix];
        var prefixes = set.Where(prefix => !string.IsNullOrEmpty(prefix)).Distinct().ToList();
        string[] sentences =
        [
            NoticeText.Create(options, user.Id!),
            $"The log begins on {since?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}.",
            days is { } kept ? $"It is kept for {kept} {(kept == 1 ? "day" : "days")}." : "It is kept without limit.",
            prefixes.Count > 0 ? $"Messages that begin with {string.Join(" or ", prefixes)} are not logged." : "All messages are logged.",
        ];
        return string.Join('\n', sentences);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.StatusNotSent, LogLevel.Information, "Failed to answer !log status in {RoomId}: {Reason}")]
        public static partial void StatusNotSent(ILogger logger, string roomId, string reason);
    }
}
