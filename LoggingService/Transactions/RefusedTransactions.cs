using System.Collections.Concurrent;

namespace LoggingService.Transactions;

/// <summary>Counts how often transactions whose body is not JSON were refused. Bounded: a homeserver retries one at a time.</summary>
internal sealed class RefusedTransactions
{
    private const int MaxIds = 100;
    private readonly ConcurrentDictionary<string, int> _counts = new();

    /// <summary>Counts one more refusal and returns the new count.</summary>
    public int Add(string transactionId)
    {
        if (_counts.Count >= MaxIds && !_counts.ContainsKey(transactionId))
        {
            _counts.Clear();
        }

        return _counts.AddOrUpdate(transactionId, 1, static (_, count) => count + 1);
    }

    public void Remove(string transactionId) => _counts.TryRemove(transactionId, out _);
}
