namespace LoggingService.Http;

/// <summary>Ends a request with a Matrix error, from any depth.</summary>
internal sealed class MatrixException(MatrixError error, Exception? cause = null) : Exception(error.Message, cause)
{
    public MatrixError Error => error;
}
