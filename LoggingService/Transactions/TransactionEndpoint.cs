using System.Diagnostics;
using LoggingService.Consent;
using LoggingService.Http;
using LoggingService.Metrics;
using LoggingService.RoomLogs;
using LoggingService.Rooms;

namespace LoggingService.Transactions;

/// <summary>
/// Receives a transaction: wait for admission → read → parse → keep logged rooms, and of them what may be logged → journal, one sync → 200.
/// </summary>
internal sealed partial class TransactionEndpoint(
    Admission admission, RequestBodyLimit limit, LoggedRooms rooms, OptOut optOut, StatusReplies replies, LogDirectory logs,
    ILogger<TransactionEndpoint> logger)
{
    /// <summary>A homeserver retries a rejected transaction before all later ones: after this many attempts it is quarantined.</summary>
    private const int MaxAttempts = 3;

    private const int LargeBody = 64 * 1024;

    // A proxy may have dropped the Content-Encoding.
    private static ReadOnlySpan<byte> GzipBeginning => [0x1F, 0x8B];

    private static readonly MatrixError NotJson = new(400, "M_NOT_JSON", "The request body is not JSON.");
    private static readonly MatrixError Compressed = new(415, "M_UNKNOWN", "The request body is compressed, which is not supported.");

    private readonly RefusedTransactions _refused = new();
    private readonly string _quarantine = Path.Combine(logs.Root, Quarantine.Folder);
    private string? _appendError;

    /// <summary>Why the last transaction could not be appended to the journal; <c>null</c> if it was.</summary>
    public string? AppendError => Volatile.Read(ref _appendError);

    /// <summary>
    /// 200: every event of the transaction is durable. 400: the body is not JSON, 415: it is compressed, and nothing of it is kept. An
    /// exception: the transaction is not durable. A disconnecting client cancels nothing.
    /// </summary>
    /// <param name="transactionId">Identifies a retry only: a homeserver may reuse it for another body.</param>
    /// <exception cref="MatrixException">The body could not be read, or the journal not be written; the homeserver must retry.</exception>
    public async Task<IResult> ReceiveAsync(HttpRequest request, string transactionId)
    {
        var receivedAt = Stopwatch.GetTimestamp();
        try
        {
            var result = await AcceptAsync(request, transactionId);
            ServiceMetrics.RecordTransaction((result as MatrixError)?.Status ?? StatusCodes.Status200OK, receivedAt);
            return result;
        }
        catch (Exception e)
        {
            ServiceMetrics.RecordTransaction(ExceptionResponses.StatusOf(e), receivedAt);
            throw;
        }
    }

    private async Task<IResult> AcceptAsync(HttpRequest request, string transactionId)
    {
        await admission.WaitAsync(request.HttpContext.RequestAborted);
        using var body = new RequestBody(limit);
        await body.ReadAsync(request);
        if (IsCompressed(request, body.Bytes.Span))
        {
            // Not counted: it is right, and a proxy that is corrected sends it again.
            Log.TransactionRejected(logger, transactionId, body.Bytes.Length, "the body is compressed, which the service does not support");
            return Compressed;
        }

        if (!Transaction.TryParse(body.Bytes, out var transaction, out var error))
        {
            if (_refused.Add(transactionId) < MaxAttempts)
            {
                Log.TransactionRejected(logger, transactionId, body.Bytes.Length, error);
                return NotJson;
            }

            transaction = new([], [new($"a body that is not JSON in {MaxAttempts} attempts: {error}", body.Bytes, IsJson: false)]);
        }

        var logged = Detach(await rooms.FilterAsync(transaction.Events), body.Bytes.Length);
        logged = await AppendAsync(logged, transaction.Unloggable, transactionId);
        _refused.Remove(transactionId);
        var notLogged = transaction.Events.Count - logged.Count(e => !e.IsNote);
        ServiceMetrics.RecordEvents(transaction.Events.Count + transaction.Unloggable.Count, notLogged, transaction.Unloggable.Count);
        foreach (var item in transaction.Unloggable)
        {
            Log.Quarantined(logger, item.IsJson ? LogLevel.Warning : LogLevel.Error, transactionId, item.Reason, _quarantine);
        }

        return MatrixResults.Ok;
    }

    private static bool IsCompressed(HttpRequest request, ReadOnlySpan<byte> body) =>
        request.Headers.ContentEncoding.Any(encoding => encoding is not (null or "" or "identity")) || body.StartsWith(GzipBeginning);

    /// <summary>The events outlive the request, until they are in their files: a large body of mostly other data must not.</summary>
    private static IReadOnlyList<RoomEvent> Detach(IReadOnlyList<RoomEvent> events, int bodyLength) =>
        bodyLength > LargeBody && events.Sum(e => e.Json.Bytes.Length) < bodyLength / 2 ? [.. events.Select(e => e.Copy())] : events;

    /// <summary>Makes the events that may be logged durable, and returns them.</summary>
    private async Task<IReadOnlyList<RoomEvent>> AppendAsync(
        IReadOnlyList<RoomEvent> events, IReadOnlyList<Unloggable> unloggable, string transactionId)
    {
        try
        {
            var logged = await optOut.ApplyAsync(events);
            await logs.AppendAsync(logged, unloggable, transactionId);
            if (logged.Count < events.Count)
            {
                replies.ReceivePaused(events);
            }

            if (Interlocked.Exchange(ref _appendError, null) is not null)
            {
                Log.AppendRecovered(logger);
            }

            return logged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            rooms.Forget(events);

            // Once, not for each retry.
            if (Interlocked.Exchange(ref _appendError, e.Message) is null)
            {
                Log.AppendFailed(logger, e.Message);
            }

            throw new MatrixException(MatrixResults.ForStatus(StatusCodes.Status500InternalServerError), e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.TransactionRejected, LogLevel.Warning,
            "Rejected transaction {TransactionId} ({Bytes} bytes): {Reason}. A proxy may have damaged it; the homeserver will retry.")]
        public static partial void TransactionRejected(ILogger logger, string transactionId, int bytes, string reason);

        [LoggerMessage(EventId = EventIds.Quarantined,
            Message = "Moved a part of transaction {TransactionId} to the quarantine, {Quarantine}: {Reason}. It is not in the room logs.")]
        public static partial void Quarantined(ILogger logger, LogLevel level, string transactionId, string reason, string quarantine);

        [LoggerMessage(EventIds.AppendFailed, LogLevel.Error,
            "Failed to append to the journal: {Reason}. Responding 500; the homeserver will retry.")]
        public static partial void AppendFailed(ILogger logger, string reason);

        [LoggerMessage(EventIds.AppendRecovered, LogLevel.Information, "Appending to the journal works again")]
        public static partial void AppendRecovered(ILogger logger);
    }
}
