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
            if (IsQuestion(e) && time.GetUtcNow().ToUnixTimeMilliseconds() - (e.ReceivedTs ?? 0) < MaxAge.TotalMilliseconds)
            {
                Answer(e);
            }
        }
    }

    /// <summary>Answers questions among events that were pushed and are not logged, in rooms that want a pause.</summary>
    public void ReceivePaused(IReadOnlyList<RoomEvent> events)
    {
        foreach (var e in events)
        {
            if (IsQuestion(e) && wishes.Get(e.RoomId).IsPaused)
            {
                Answer(e);
            }
        }
    }

    private void Answer(RoomEvent question)
    {
        if (user.IsJoinedTo(question.RoomId) && TryAcquire(question.RoomId))
        {
            _queue.Writer.TryWrite(question.Copy());
        }
    }

    private static bool IsQuestion(RoomEvent e) =>
        e is { IsNote: false, FetchedTs: null, StateKeyText: null, Type: "m.room.message" }
        && e.Content["body"u8].IsString("!log status"u8)
        && !e.Content["msgtype"u8].IsString("m.notice"u8);

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
        var days = RoomRetention.DaysKept(isByRoom ? files.Find(roomId)?.MaxLifetime ?? 0 : 0, options);
        string?[] set = [options.NoLogPrefix, wish.NoLogPrefix];
        var prefixes = set.Where(prefix => !string.IsNullOrEmpty(prefix)).Distinct().ToList();
        string[] sentences =
        [
            NoticeText.Create(options, user.Id!),
            since is { } day ? $"The log begins on {day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}." : "The log is empty.",
            days is { } kept ? $"It is kept for {kept} {(kept == 1 ? "day" : "days")}." : "It is kept without limit.",
            wish.IsPaused ? "It is paused at the room's wish: no message is logged."
                : prefixes.Count > 0 ? $"Messages that begin with {string.Join(" or ", prefixes)} are not logged."
                : "All messages are logged.",
        ];
        return string.Join('\n', sentences);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.StatusNotSent, LogLevel.Information, "Failed to answer !log status in {RoomId}: {Reason}")]
        public static partial void StatusNotSent(ILogger logger, string roomId, string reason);
    }
}
