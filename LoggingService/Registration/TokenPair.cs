using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Registration;

/// <summary>The tokens of a registration. Not a record: its text would contain them.</summary>
internal sealed class TokenPair(string asToken, string hsToken)
{
    private readonly byte[] _hsToken = Encoding.UTF8.GetBytes(hsToken);

    /// <summary>The secret that the service sends to the homeserver.</summary>
    public string AsToken => asToken;

    /// <summary>The secret that the homeserver sends to the service.</summary>
    public string HsToken => hsToken;

    /// <summary>
    /// Whether a token, in UTF-8, is the hs_token. As many bytes are compared for each token, so that the time reveals neither length nor
    /// prefix. Not by a hash, which would load OpenSSL: 4 MB of memory that a service without TLS does not need otherwise.
    /// </summary>
    public bool HasHsToken(ReadOnlySpan<byte> token)
    {
        Span<byte> compared = new byte[_hsToken.Length];
        token[..Math.Min(token.Length, compared.Length)].CopyTo(compared);
        return CryptographicOperations.FixedTimeEquals(compared, _hsToken) & token.Length == _hsToken.Length;
    }

    public bool IsSameAs(TokenPair other) => asToken == other.AsToken && hsToken == other.HsToken;
}
