using LoggingService.Events;
using LoggingService.Http;
using LoggingService.RoomLogs;
using LoggingService.Rooms;

namespace LoggingService.Transactions;

/// <summary>The way of a transaction: parse → keep the logged rooms → commit → answer.</summary>
internal sealed partial class TransactionEndpoint(
    RequestBodyReader bodies, LoggedRooms rooms, RoomAliases aliases, LogDirectory logs, RoomActivity activity, ILogger<TransactionEndpoint> logger)
{
    private const int Patience = 3;
    private readonly RefusedTransactions _refused = new();
    private bool _isInTrouble;

    /// <summary>
    /// Returning 200 means that every event of the transaction is durable, or was before; any exception means that nothing
    /// of it stayed. The caller hanging up cancels neither.
    /// </summary>
    /// <param name="request">The request, authenticated.</param>
    /// <param name="transactionId">The homeserver's number for it, which says nothing: it can come again with another body.</param>
    /// <exception cref="MatrixException">It could not be written, or not be read; the homeserver is to send it again.</exception>
    public async Task<IResult> ReceiveAsync(HttpRequest request, string transactionId)
    {
        using var body = await bodies.ReadAsync(request);
        if (!Transaction.TryParse(body.Bytes, out var transaction, out var mistake))
        {
            if (_refused.Add(transactionId) < Patience)
            {
                Log.NotJson(logger, transactionId, body.Bytes.Length, mistake);
                return new MatrixError(400, "M_NOT_JSON", "The body is not JSON.");
            }

            Log.GaveUp(logger, transactionId, mistake, Path.Combine(logs.Root, Quarantine.Folder));
            transaction = new([], [new($"a body that came {Patience} times: {mistake}", body.Bytes, IsJson: false)]);
        }
        else
        {
            foreach (var what in transaction.Unloggable)
            {
                Log.Unloggable(logger, what.Reason, transactionId, Path.Combine(logs.Root, Quarantine.Folder));
            }
        }

        var logged = await rooms.KeepLoggedAsync(transaction.Events);
        var written = await CommitAsync(logged, transaction.Unloggable, transactionId);
        _refused.Remove(transactionId);
        aliases.LearnFrom(written);
        activity.Show(written);
        return MatrixError.Ok;
    }

    private async Task<IReadOnlyList<WrittenLine>> CommitAsync(IReadOnlyList<RoomEvent> logged, IReadOnlyList<Unloggable> unloggable, string transactionId)
    {
        try
        {
            var written = await logs.CommitAsync(logged, unloggable, transactionId);
            if (Interlocked.Exchange(ref _isInTrouble, false))
            {
                Log.WrittenAgain(logger);
            }

            return written;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Told once: the homeserver tries it again and again.
            if (!Interlocked.Exchange(ref _isInTrouble, true))
            {
                Log.NotWritten(logger, e.Message);
            }

            throw new MatrixException(MatrixError.ForStatus(StatusCodes.Status500InternalServerError), e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "Transaction {TransactionId} ({Bytes} bytes) was refused because {Mistake}. Something on the way (a proxy?) damages what the homeserver sends; it will send it again.")]
        public static partial void NotJson(ILogger logger, string transactionId, int bytes, string mistake);

        [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "Transaction {TransactionId} came three times and {Mistake}. It is kept whole in {Quarantine}, so that those behind it can come; its events are not in the rooms' logs.")]
        public static partial void GaveUp(ILogger logger, string transactionId, string mistake, string quarantine);

        [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "The homeserver sent {Reason} (transaction {TransactionId}), which can't be logged; it is kept in {Quarantine}.")]
        public static partial void Unloggable(ILogger logger, string reason, string transactionId, string quarantine);

        [LoggerMessage(EventId = 4, Level = LogLevel.Error, Message = "Nothing can be written to the logs now: {Reason}. Put that right; no restart is needed. Nothing is lost: the homeserver keeps what happens and sends it again within minutes.")]
        public static partial void NotWritten(ILogger logger, string reason);

        [LoggerMessage(EventId = 5, Level = LogLevel.Information, Message = "The logs can be written again.")]
        public static partial void WrittenAgain(ILogger logger);
    }

    /// <summary>How often transactions that are no JSON were refused, for the few that come again and again.</summary>
    private sealed class RefusedTransactions
    {
        private const int Remembered = 100;
        private readonly Lock _lock = new();
        private readonly Dictionary<string, int> _times = [];

        public int Add(string transactionId)
        {
            lock (_lock)
            {
                if (_times.Count >= Remembered && !_times.ContainsKey(transactionId))
                {
                    _times.Clear();
                }

                return _times[transactionId] = _times.GetValueOrDefault(transactionId) + 1;
            }
        }

        public void Remove(string transactionId)
        {
            lock (_lock)
            {
                _times.Remove(transactionId);
            }
        }
    }
}
